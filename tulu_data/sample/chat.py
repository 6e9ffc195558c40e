"""Chat: plans, letters, explanations, comparisons, ideas, summaries and what else people ask for."""

from __future__ import annotations

from typing import Final

from tulu_data.sample.grammar import Part

TEXT: Final = """
@ trip-plan
> [I am|We are|{Name} and I are] in {city} for {days:2..6} days in {month}. [Can you plan something|What should we
  see|Please make a plan], [with|given] a budget of {200..900} dollars? I [like|love] {hobby}.
< {City} in {month} is [a fine|a good|an easy] choice. [Here is|This is] a plan [around|that leaves time for] {hobby}:

*6
- [Morning|First thing] on {day}: the {place}, [opened|open] from {8..11}, then [coffee|tea] in {street}.
- [An afternoon|A few hours|Half a day] at the {event}; {adjective}, {adjective2} and [rarely|never] full before
  {3..6} o'clock.
- [Lunch|A late lunch|Supper] of {food} at the {shop} in {street2}, about {11..38} dollars for [two|each].
- [Walk|Cycle|Take the tram] to the {place2}, where {hobby2} has [a long|an old|its own] tradition; [ask|look] for
  {name2}.
- [Buy|Look for] {item} of {material} at the {shop2}; [prices|they] start at {6..45} dollars.
- [Rainy hours|A wet morning|Bad weather] [suit|are made for] the {place3}, {4..25} minutes [by tram|on foot] from
  {street3}.
- [Evening|Dinner] near {street4}: {food2}, [then|and later] a {song} on the {instrument}.

That [comes to|makes|is] about {150..880} dollars, with {20..95} [left|to spare] for {fruit} and [bus tickets|small
  things]. [Book|Reserve] the {place} [by {day2}|early].

@ thank-you-letter
> [Write|Please write|Help me write] a [short|warm] thank-you letter to {name}, the {job} in {city}, who [lent
  me|gave me|repaired] {item} for the {event}.
< Dear {name},

[Last {day}|Since {day}|On {day}] I have [wanted to|meant to] thank you. The {item} [you brought|from you] made the
  {event} at the {place} [brighter|much better|what it was]; [even|above all] {name2}, our {adjective} {job},
  [noticed|said so].

&5
- [You came|You drove|You walked] all the way from {street}, with {food} [under one arm|in a basket] and
  {number:12..90} {item2} [under the other|in the car].
- The {colour} {item2} [still stand|now hang|are] next to the {instrument}, and [everybody|each guest|{name3}] asks
  about {material} and {colour2}.
- When the {device} [broke|stopped|failed] at {6..9} o'clock, you [stayed|kept] calm and [played|sang] a {song}
  [instead|until it ran].
- [Not many|Few] people know {hobby} and {subject} [equally well|as you do], and [fewer|hardly any] explain them so
  {adjective2}.
- [Come|Please come] to {street2} in {month}: {food2} [is|will be] on the table, and {name4} [brings|promised] {fruit}.

[With warm wishes|Gratefully yours|All the best] from {city2},
{name5}

@ complaint-email
> My {colour} {device} from {company} [stopped working|broke|went silent] after {weeks:2..30} weeks. [Write|Draft]
  [a polite|a firm] email [to their service|of complaint].
< Subject: {Device} [stopped|failed] after {weeks} weeks, order {10000..99999}

[Dear|Hello] {company} [team|service],

on {day}, {2..28} {month}, the {colour} {device} I [bought|ordered] for {90..890} dollars [went dark|stopped|made a
  noise and stopped]. [It|The {device}] [stands|is used] in a {adjective} room in {street}, {city}, far from
  [water|heat].

[What I tried|So far I have tried|I have already done this]:

*4
- [Unplugged it|Left it off] for {10..55} minutes, [as page|see page] {11..98} of the manual [says|advises].
- [Swapped|Changed] the {material} [cover|case|cable], which {name}, a {job}, [lent me|had at hand].
- [Asked|Called] the {shop} in {street2}; {name2} there [knew|had seen] {3..19} such cases since {month2}.
- [Reset it|Held the button] {3..9} times, [with|without] the {noun} [card|light] [in|on].

[Please|I ask you to] [repair or replace it|send another one] by {day2}, {2..28} {month3}. [The receipt|A photo of
  the receipt] over {90..890} dollars is [attached|below].

[Kind regards|Yours sincerely],
{name3}

@ compare-two
> [Should I|Would you] [take up|learn|start with] {hobby} or {hobby2}? I have {hours:2..9} hours a week and
  {money:50..600} dollars, [living|and I live] in {city}.
< [Both|Either] [fit|suit] {hours} hours a week; [they differ|the difference is] in [money, company and
  weather|cost and company].

**{Hobby}**

&4
- [To begin|At first] you [need|want] {item} of {material}, [perhaps|about] {20..190} dollars at a {shop}.
- In {city} people [meet|gather] at the {place} on {day}s, [mostly|often] with a {job} named {name} who [teaches|helps].
- [Progress|The first success] [comes|shows] after {3..12} weeks, [and then|but later] it gets {adjective}.
- [Rain|Winter|Noise] [hardly matters|does not matter|is no obstacle], [since|as] a {adjective2} [corner|room] of
  {2..12} square metres is enough.

**{Hobby2}**

&4
- The {event} in {month} [shows|lets you see] it [for nothing|for {3..14} dollars], [if|should] you [are|feel]
  {feeling}.
- {Item2} [last|keep] {2..14} years, so {money} dollars [go|reach] [further|a long way] than with {hobby}.
- [Expect|Count on] {2..7} {adjective3} evenings a month in {street}, [with|among] {5..30} [others|people].
- It [trains|exercises] [patience|the hands|the memory], which {name2} [calls|finds] [as good as|like] {subject}.

[I would|My advice:] [try|begin with] {hobby} [if|when] {material} and [quiet|silence] [please|attract] you,
  [else|otherwise] {hobby2}. [A {day2}|One {day2}] at the {place2} [settles|decides] it.

@ explain-to-child
> [Explain|How do I explain] {subject} to [my niece|my son|a child] who is {age:6..12} and [loves|likes] {hobby}?
< [Start|Begin] from {hobby}, which [is known|feels safe], and [go|move] to {subject} in [small|three] steps.

#6
- [Ask|First ask] what {name} [sees|notices] [at|during] {hobby}: [mostly|usually] something {adjective},
  [like|such as] {colour} {item}.
- [Put|Lay] {7..40} {fruit} on a {material} tray and [say|pretend] each [stands for|is] one [part|piece] of {subject}.
- [Draw|Sketch] it in {colour2} and {colour3}; [leave out|skip] [every|any] word that a {age}-year-old would not
  [use|say].
- [Tell|Read] a story: a {adjective2} {animal} from {city} [meets|asks] a {job} about {subject}, [and|who]
  [gets|gives] [half|two] answers.
- [Let|Have] {name} explain it to {name2}, {name3} or the {animal2}; [mistakes|gaps] [show|tell] where to go on.
- [Visit|Go to] the {place} in {street} on {day}, [where|since] {subject} is [shown|built] with {item2} and {material2}.

[Keep|Hold] it under {11..29} minutes. [When|If] {name} [looks|gets] {feeling}, [stop|break off] and [have|eat]
  {food}; {subject} [waits|can wait] until {day2}.

@ weekly-schedule
> [Make|Write] a weekly schedule for {name}, a {job} who wants to [learn|practise] {language} and {hobby} and
  [keep|have] {day} free.
< {Name} [works|is at work] until {3..7} o'clock, so [evenings|the hours after that] [carry|hold] the plan:

*6
- {day2}: {20..55} minutes of {language} at the {place}, then {food} and [sleep|rest] by {9..11}.
- {day3}: {hobby} with {name2} in {street}, {6..8} to {8..10} [o'clock|in the evening]; [bring|take] {item}.
- {day4}: [write|copy] {8..30} {language} words about {subject} on {colour} cards, [learn|read] them on the tram.
- {day5}: [half an hour|an hour] of {hobby} [alone|at home], [listening|with an ear] to a {language} {song}.
- {day6}: {language} supper at the {shop}; [order|ask for] {food2} and {fruit} without one word of English.
- {day7}: the {event} in {city}, [or|else] a walk of {3..14} kilometres to the {place2} with the {animal}.
- {day2} again, [late|at night]: note in {2..6} lines what was {adjective} and what {adjective2}.

{Day} stays [free|empty]; [if|should] {name} feel {feeling}, [drop|leave out] {day3} [first|before the others].
  After {4..12} weeks [check|count]: {60..400} words and {5..25} hours of {hobby} are [realistic|within reach].

@ story-short
> [Write|Tell me] a [very short|short|little] story about a {adjective} {animal} and a {job} in {city}.
< **The {Animal} of {street}**

&6
- In {city}, where {month} smells of {fruit} and {material}, a {job} called {name} [found|met] a {adjective}
  {animal} under the {item}.
- It [carried|wore] a {colour} ribbon with the words "{book}", [written|stitched] in {colour2} [thread|ink].
- "[Whose|Who] are you?" asked {name}, and the {animal} [looked|nodded] towards the {place}, as if {day}
  [explained|were] everything.
- They [walked|went] past the {shop}, past {13..90} {item2}, [past|and] a man who played a {song} on the {instrument}.
- At the {place} sat {name2}, {feeling} and {adjective2}, [waiting|asking] for a {animal} that [understood|knew]
  {subject}.
- {Name} [offered|shared] {food}; {name2} [offered|told] a story in {language}, and [neither|none of them]
  [noticed|heard] the clock strike {7..11}.
- [Since then|From that day] the three [meet|are seen] on {day2}s, and {street2} has [one|a] {colour3} window more.

[The end|Nothing else happened|That is all], [except|only] that {name} [gave up|began] {hobby}, which the {animal}
  had [recommended|wanted] [from the start|all along].

@ brainstorm-names
> I [open|am opening] a {shop} in {city} that [sells|also sells] {item} and {food}. [Ideas|Any ideas|Suggestions]
  for a name?
< [Names|A name] [should|ought to] [say|hint at] {item}, {food} or {city}. [Some|A few] [directions|ideas]:

*7
- **{Word} & {Word2}**: [sounds|looks] {adjective}, and a {colour} sign [in|for] {street} [paints itself|is quickly
  painted].
- **The {adjective2} {animal}**: [people remember|one remembers] animals, and {name} [can draw|could draw] the {animal}.
- **{Word3} of {city}**: [plain|local|honest]; [check|make sure] that no {job} in {city} [has|uses] it.
- **{Material} and {Fruit}**: [good|nice] for {item}, [less so|not so much] for {food}.
- **{Name2}'s {Word4}**: [personal|warm], [if|provided] you are [happy|willing] to be {name2} [every|each] {day}.
- **{Number:2..9} {Word5}s**: [odd|curious] enough for [a question|people to ask], [short|brief] enough for a
  {material2} bag.
- **{Colour2} {Word6}**: [works|reads well] in {language} [too|as well], [says|according to] a {job2} I [would
  trust|trust].
- **{Word7} {Word8}**: [means|says] nothing [yet|so far], which [leaves|gives] room for {hobby} and {fruit2}.

[Say|Read] each aloud {3..9} times, [then|and] ask {name3} on {day2} which {2..3} [stuck|stayed].

@ summary-meeting
> [Summarise|Please summarise|Sum up] my notes: {day}, {place}, {city}. {name} reported {visitors:120..980}
  visitors at the {event}, {plus:5..40} percent more than in {month}. {name2} wants {item} of {material} for
  {money:200..990} dollars; {name3} is against it because the {device} is broken. Next meeting {day2} at {hour:9..11}.
< **[In short|Summary]** ({day}, {place} of {city})

*3
- [Visitors|The {event}]: {visitors}, [up|a rise of] {plus} percent [since|against] {month}, [says|as] {name}
  [reported|told].
- [Request|Wish]: {name2} [would like|asks for] {material} {item}, {money} dollars [in all|altogether].
- [Objection|Against it]: {name3}, [since|as] the {device} [has to be|must be] [repaired|replaced] [first|before].

**[Open|To be decided]**

*3
- [Whether|If] the {money} dollars [go|should go] to {item} or to the {device}; [nobody|no one] [has|named] a price
  for the [second|latter].
- [Who|Which of {name}, {name2} and {name3}] [asks|writes to] the {shop} [about|for] an offer before {day2}.
- [Why|From where] the {plus} percent [came|come]: [weather|a {adjective} {day3}|the {song} on the square], or
  [chance|luck].

**Next**: {day2}, {hour} o'clock. [Bring|Please bring] the numbers of {month} and, [if possible|at best], {food}.

@ recipe
> [How do I make|Do you have a recipe for|I want to cook] {food} for {people:2..9} with {fruit} [and|plus] what a
  {shop} in {city} has?
< {Food} with {fruit} [works|goes well] [when|if] the {fruit} come [late|at the end]. For {people} [people|plates]:

*5
- {150..800} grams of [flour|rice|potatoes|lentils], [the cheap|the {adjective}] kind from the {shop}
- {2..9} {fruit}, [ripe|firm], cut [into|in] [slices|cubes] as thick as a {noun} [card|label]
- {2..5} spoons of [oil|butter|yoghurt], [salt|pepper|cumin], [a little|some] [thyme|ginger|dill]
- {1..4} [onions|leeks|carrots], {adjective2} and [fresh|washed], about {80..300} grams
- [a handful|{20..90} grams] of [walnuts|almonds|raisins|breadcrumbs], [toasted|chopped] by {name}

#5
- [Warm|Heat] a {material} [pan|pot] for {2..6} minutes and [stir|turn] the [onions|leeks] until they look {colour}.
- [Add|Put in] the [rest|dry things], {200..900} millilitres of [water|stock], [and|then] [wait|cover it] {12..40}
  minutes.
- [Now|Then] the {fruit}: {3..9} minutes, [not more|no longer], or they [turn|become] {adjective3}.
- [Taste|Try], [and|then] [ask|let] {name2} [taste|try]; [most|many] [cooks|people] [forget|miss] [salt|acid]
  [here|at this point].
- [Rest|Leave] it {5..25} minutes under a {colour2} [cloth|lid], [as|while] you [lay|set] the table for {people}.

[Left over|What remains] [keeps|stays good] {2..4} days; on {day} it [makes|becomes] {food2}.

@ job-application
> [Draft|Write] a cover letter: I am {name}, a {job} from {city}, and [apply|want to apply] at {company} as {job2}.
< Dear {company} [team|people|hiring team],

[you look for|you are looking for] a {job2}; I [have been|am] a {job}, and for {4..19} years the two have had more
  in common than [it seems|most think].

&5
- At the {place} in {city} I [looked after|was in charge of] {30..400} {item} and a team of {3..14}, [most|many] of
  them [new to|learning] {subject}.
- When the {event} [lost|had lost] its {device} in {month}, I [found|got] another from a {shop} in {street}
  [within|in] {2..9} hours.
- I [speak|write] {language} and [some|a little] {language2}, which [helped|served] [us|me] with {40..300} guests
  from {city2}.
- {Hobby}, which I [teach|practise] on {day}s, has [made|kept] me {adjective} and [patient|exact].
- My [last|previous] [head|boss], {name2}, [calls|called] me "{adjective2}, {adjective3} and never {feeling}",
  [and|which] I [hope|think] [is true|that fits].

[I could|I would be free to] [start|begin] in {month2} and [would like|should be glad] to [show|tell] you on a
  {day2} [how|what] I would [do|change] with {material} and {item2}.

[Yours sincerely|With kind regards],
{name}, {street2}, {city}

@ book-review
> [Write|I need] a [review|short review] of "{book}", a novel by {name} {Word} [set|that plays] in {city}.
< "{book}" [opens|begins] on a {day} in {city}, with a {job} who [counts|mends|hides] {item} of {material}, and [it
  takes|needs] {40..120} pages to [say|tell] why.

&6
- [What|The thing that] [carries|holds] the book is {name2}, a {adjective} {job2} who [speaks|thinks] in {language}
  proverbs and [distrusts|dislikes] {subject}.
- The chapters in the {place} are [strong|the best], {adjective2} and [full of|rich in] {colour} light and {food}.
- [Weaker|Less good] is the {event} on page {150..390}: [too many|far too many] {animal}s, [too little|no]
  {feeling} [silence|doubt].
- The author [knows|has studied] {hobby} and [lets|makes] a {song} [return|come back] {3..9} times, [each
  time|always] [in|on] another {instrument}.
- [Readers|Those] who [loved|know] "{book2}" will [recognise|find] the {material2} [bridge|door], the {colour2}
  coat and the [letter|quarrel] of {month}.
- [One|A] sentence [stays|remains]: that {city2} is "a {noun} that [nobody|no one] [opens|answers] before {month2}".

[In all|Altogether] {3..5} of 5 {word2}s: [read|take] it [slowly|in {season}], [best|if you can] with {fruit} and
  without a {device}.

@ pro-con
> [What are|List] the pros and cons of [keeping|having] a {animal} in a [flat|small flat] in {city} when one is a {job}?
< [For|In favour]:

*4
- A {animal} [gives|lends] the day of a {job} a {adjective} frame: [up|feeding] at {5..8}, [out|playing] at {5..9},
  [quiet|rest] by {10..11}.
- [Neighbours|People] in {street} [begin|start] to talk, [first|at first] about the {animal}, later about {food}
  and {subject}.
- The {shop} [round the corner|in {street2}] has [food|what it eats] for {10..60} dollars a month, and {name}
  [knows|can show] the good kind.
- [Children|Guests|Visitors] [such as|like] {name2} [learn|grow] [careful|{adjective2}] hands.

[Against|The other side]:

*4
- [Hair|Straw|Noise] on {colour} {item}, and a [smell|sound] that [visitors|guests] [notice|find] {adjective3}.
- [Holidays|A week in {city2}] [need|take] somebody, perhaps {name3}, [and|plus] {40..180} dollars or a
  {instrument} lesson [in return|as thanks].
- [The vet|A sick {animal}] in {month} [costs|may cost] {90..800} dollars, [just|exactly] when the {device}
  [breaks|fails] too.
- {Days:6..13}-hour [shifts|days] of a {job} are [long|hard] for a {animal} [alone|on its own] with a {material}
  [toy|bed].

[My view|On balance]: [yes|do it] [if|provided that] {name3} or the {place} [helps|can help] {2..4} times a week;
  [no|wait] if you feel {feeling} [already|as it is].

@ speech-toast
> [I must|I have to] give a [toast|speech] for {name}, {job} and [friend|colleague], who [retires|turns
  {age:40..70}|moves to {city}]. [Two minutes|Short], please.
< Dear friends, dear {name},

&6
- [I met|I first saw] {name} {5..30} years ago at the {place} of {city2}, [carrying|holding] {11..60} {item} and
  [whistling|humming] a {song}.
- "[Take|Hold] this," [said|were the words of] {name}, and [gave|handed] me a {colour} {tool}; I [have|kept] it
  [still|to this day].
- [A {job}|Somebody], they say, [is|must be] {adjective} in the morning and {adjective2} at night; {name}
  [managed|was] [both|it] [before|by] {8..11} o'clock.
- [Remember|You remember] the {event} of {month}, when the {device} [burned|fell] and {name} [fed|served] {30..90}
  people {food} [from|off] a {material} door?
- [Everyone|All of us] [learned|has learned] something: {name2} {hobby}, {name3} {subject}, and I how [not|never]
  to [lose|drop] {fruit}.
- [There was|We had] [one|a single] quarrel, about {colour2} or {colour3} for the {shop}; [it lasted|we kept it up]
  {3..14} months and [made|ended in] a {adjective3} friendship.
- {City} [does not know|has no idea] [what|who] is coming: [hide|lock away] the {instrument}, [bring out|keep] the
  {food2}.

[Raise|Lift|So raise] your [glasses|cups] [to|for] {name}: may {day}s be long, {material2} [chairs|benches] soft,
  and the {animal} [asleep|fed].

@ advice-feeling
> I [feel|have felt] {feeling} since I moved to {city} as a {job}. [What can I do|Any advice|What would help]?
< [That is|It sounds] [hard|heavy], and [common|not rare] in the first {3..12} months. [Feeling|Being] {feeling}
  [says|tells] that the place [is not|isn't yet] yours. [Some things|A few things] that [help|have helped others]:

*6
- [Choose|Take] one {adjective} place, [say|perhaps] the {shop} in {street}, and go every {day} at {8..11};
  [faces|people] [become|grow] [known|familiar].
- [Join|Try] the {event} or {hobby} at the {place}; [doing|making] {item} [needs|takes] fewer words than
  [talking|small talk].
- [Cook|Make] {food} and [ring|knock] at {name}'s door: "[too much|I made too much]" is a sentence that
  [works|opens doors] in {language}, too.
- [Write|Note] at {9..11} each night {3..5} things that were {adjective2}, [even|be it] {fruit} or a {song}
  [heard|from a window].
- [Walk|Go] {20..70} minutes before [work|your shift], [past|by] the {place2}; [light|daylight] in {month}
  [matters|helps] more than [one thinks|most people believe].
- [Call|Ring] {name2} in {city2} on {day2}, [and|but] [fix|agree on] the time [before|beforehand], so that [it|the
  call] is no [test|cure].

[If|Should] it [stay|go on] for more than {3..6} weeks, or sleep and appetite [go|leave you], [talk|please talk] to
  a doctor; [that|this] is what they are for. [What|Which part of the day] is [hardest|worst] at present?

@ budget-plan
> {name} earns {income:1800..4800} dollars a month as a {job} in {city} and [pays|has] {rent:500..1300} dollars
  rent. [How|In what way] can {name} save for a {instrument} of {price:600..2900} dollars?
< After rent {name} has the [rest|remainder] of {income} dollars for [everything else|all else]. A [frame|plan]
  that [often|mostly] [holds|works] in {city}:

*6
- [Food|Groceries]: {250..480} dollars; [lentils|rice] and {fruit} from the {shop}, {food} [once|twice] a week.
- [Getting around|Transport]: {30..120} dollars, [less|fewer] if {street} is [near|close] and the bicycle {adjective}.
- [Insurance|Phone and power]: {90..260} dollars; [ask|let] {company} for a [cheaper|smaller] plan in {month}.
- {Hobby} and the {event}: {40..150} dollars, [taken|drawn] in cash on {day}s, [gone|over] is [gone|over].
- [Repairs|Surprises], [such as|like] a {device}: {50..190} dollars into a {material} [box|tin].
- For the {instrument}: {80..350} dollars, [moved|sent away] on the {1..5}th, [before|ahead of] [anything|the rest].

[With|At] {100..350} dollars a month the {price} [are|will be] [there|together] in [less than|about] {6..24}
  months. A used {instrument} from {city2} or {name2}'s {shop2} [halves|shortens] that. [Sell|Part with] {item} of
  {colour} {material2} if {feeling} days [come|arrive].

@ study-method
> [How|What is a good way how] should I [study|prepare] {subject} for an exam in {weeks:3..12} weeks [besides|next
  to] my work as a {job}?
< {Subject} [in|within] {weeks} weeks is [possible|doable] with {30..75} minutes a day, if [they|these] are
  [active|not spent reading].

#6
- [Week one|First]: [collect|get] {3..9} old papers from {name} or the {place}, and [mark|note] what [returns|comes
  again] [every|each] {season}.
- [Split|Cut] {subject} into {12..40} cards, {colour} for [terms|words], {colour2} for [causes|reasons];
  [carry|take] {5..11} of them in a {noun} case.
- [Explain|Tell] one card a day to {name2}, the {animal} or the {device}, [aloud|with your voice], in {60..180} seconds.
- [On {day}s|Every {day}] [write|do] half a paper [by hand|against the clock] at the {place2}, [then|and] correct
  it in {colour3} after {food}.
- [Leave|Skip] what is {adjective} and [rare|seldom asked]; {70..90} percent [known|sure] is [worth|better than]
  more than [all|everything] [half|vaguely].
- [Two days|{2..4} days] before: [no|nothing] new, [only|just] the cards that [failed|went wrong] {2..5} times,
  [and|plus] sleep from {9..11}.
- [Tie|Link] each chapter to {hobby} or to {city}: [odd|silly] pictures, [say|like] a {adjective2} {animal2} with
  {item}, [stay|stick].

[If|When] you are {feeling} on a {day2}, [do|read] {2..6} cards and [stop|call it a day]; [a short|one small] day
  [keeps|saves] the chain.

@ dialogue
> [Write|I need] a dialogue between a {job} and a {job2} [waiting|who wait] at the {place} of {city} about {subject}.
< {Name} (a {job}): [Do you|You] [also|too] wait for the {event}?

{Name2} (a {job2}): Since {7..11} o'clock. [With|And with] {11..70} {item} [in|on] my {material} [bag|cart], as you
  [see|can see].

{Name}: [Then|So] we have time for {subject}. [Nobody|No one] in {street} [wants|likes] to hear [about it|of it]
  before {food}.

{Name2}: {Subject}? My {animal} [knows|understands] more [of|about] that than {name3} [at|from] {company}.

&3
- {Name}: [Listen|Look]: [without|but for] {subject} there would be no {fruit}, no {song}, [hardly|not even] a
  {colour} {device}.
- {Name}: I [read|found] "{book}" [three|{4..9}] times for it, [once|and once] in {language}, [and|yet] [feel|felt]
  {feeling} [afterwards|still].
- {Name}: [Say|Tell me], [when|how] you [mend|carry] {item}, [do you|don't you] [count|measure]? That is [half|the
  {adjective} half] of it.

{Name2}: [In my trade|With us] one [says|learns]: {adjective2} hands, {adjective3} head, and [on {day}s|in {month}]
  [soup|a nap].

{Name}: [Fair|True|Well]. [Will you|Would you] [share|try] {food2}? [It is|I made it] from {city2}.

{Name2}: [Gladly|With pleasure]. [And|Then] [tell|explain] me the part [about|with] the {colour2} {item2}
  [again|once more], [slowly|from the start].

@ gift-ideas
> [What|Which present] can I give {name}, {age:19..80}, a {job} who [loves|likes] {hobby} and has [everything|all]?
  [Budget|I have] {money:20..150} dollars.
< [For|With] someone who has everything, [give|choose] [time, taste or repair|what is used up or used]. [Up
  to|Within] {money} dollars:

*7
- {Item} of {material} from a {shop} in {city}, {colour}, [engraved|marked] with "{word} {word2}".
- [Two|Three] tickets for the {event} in {month}, [plus|with] {food} [at|in] {street} [afterwards|before].
- A [used|second-hand] copy of "{book}" with {5..20} [notes|slips] in your [hand|handwriting], [one|each] about {hobby}.
- A [course|lesson] in {hobby2} at the {place}, [as|because] a {job} [rarely|seldom] gets to be [the pupil|{adjective}].
- [Let|Have] the old {device} or {instrument} be [repaired|cleaned] by {name2}, {25..90} dollars [and|plus] a
  {adjective2} surprise.
- A [basket|box] with {fruit}, {fruit2} and [jam|honey] of {city2}, [tied|closed] with {colour2} {material2}.
- An [evening|afternoon] [off|without duties]: you [take|walk] the {animal}, [do|wash] the dishes and [sing|play] a
  {song}.
- A [map|drawing] of {street2}, [framed|rolled], where you [two|both] [met|worked] in {2001..2023}.

[My choice|I would take]: the [second|repair|box], [for|because] {name} will [speak|talk] of it [still|even] in
  {month2}.

@ email-reschedule
> [Write|Draft] an email to {name} at {company}: I [can't|cannot] come on {day} because my {animal} is ill, [ask
  for|suggest] {day2}.
< Subject: [Our|The] meeting on {day}: [may we|could we] [move it|meet on {day2}]?

[Dear|Hello] {name},

&2
- [I am sorry|Unfortunately], my {animal} has [fallen|been] ill [since|after] {month} [rain|heat], and the vet in
  {street} [has|gave us] only {day}, {9..11}:{10..55}.
- [A pity|Bad timing]: the {animal} [must|has to] go to the vet on {day} [morning|at {8..11}], and [nobody|no
  {job}] but me can [hold|calm] it.

*4
- [Would|Does] {day2} at {9..11} or {1..5} [suit|work for] you? [I can|I would] come to the {place} or to {city},
  [as|whichever] you [like|prefer].
- [Until|By] {day3} I [send|shall send] the {pages:4..40} pages about {item} and the {noun} list with {12..90}
  [lines|entries], so that [no time|nothing] is lost.
- [If|Should] it be [urgent|pressing], {name2}, our {job}, [knows|has] the {colour} folder and [can|could]
  [speak|call] on {day}.
- [The samples|The {material} samples] are [ready|packed]: {3..20} {item2}, {colour2}, [at|in] the {shop} next to
  {company}.

[Thank you|Thanks] for your patience, and [greetings|best wishes] to {name3} and the {adjective}
  [people|colleagues] from the {event}.

[Kind regards|Best wishes],
{name4}, {city2}

@ rewrite-plain
> [Rewrite|Put] this in plain [English|words]: "Pursuant to notice {code:100..999}, patrons of the {place} in
  {city} are advised that, commencing {day}, the utilisation of {item} shall be contingent upon prior remittance of
  {fee:3..40} dollars to {name}."
< [Plainly|In plain words]:

"From {day} on you [can|may] use {item} at the {place} in {city} [only|once] after you [paid|have paid] {name}
  {fee} dollars (notice {code})."

[What|The things that] [changed|I changed]:

*5
- "[Pursuant to|Commencing]" [became|is now] [a bracket|"from"]: [who|whoever] [wants|looks for] notice {code}
  [still|can still] finds it.
- "Utilisation" is "use"; [a {job}|{name2}, a {job},] [would|might] not say it [even|not even] about {material} {item}.
- "Contingent upon prior remittance" [hides|buried] the person who pays; [now|here] "you" [does|pay].
- [The order|Order]: [when|first {day}], what ({item}), how much ({fee}), [to whom|and {name}], [as|the way] people
  [ask|think] at a counter.
- "Patrons" [sounds|feels] {adjective} in {city}; "you" is [friendlier|shorter] and [fits|suits] a {colour} sign of
  {20..60} cm.

[Even|If you want it] shorter, for the door: "{Item}: {fee} dollars, pay {name} first. [Starts|From] {day}."
  [Add|Put] the telephone number and, [for visitors|perhaps], [the same|a line] in {language}.

@ outline-talk
> [I give|I am giving] a {minutes:10..45}-minute talk on {subject} at the {event} in {city}. [Make|Suggest] an outline.
< [An outline|A plan] for {minutes} minutes, [one|a single] thought [per|for each] part:

#6
- [Opening|Start] ({2..4} minutes): {item} on the table; [ask|wonder] [aloud|why] what {item} have to do with {subject}.
- [Claim|The point]: {subject} [is|matters], [because|since] a {job} in {city} [meets|uses] it [before|by] {8..10}
  o'clock [without|and does not] noticing.
- [Story|A person]: {name}, {feeling} in {month}, [at|in front of] the {place}, [with|and] {11..90} {fruit} and a
  {adjective} plan.
- [Evidence|Numbers] ({3..9} minutes): [two|three] charts, {colour} and {colour2}, no [more|line] than {20..70}
  words [together|in all].
- [Objection|The other side]: [what|as] {name2} from {company} [says|would say], [told|put] {adjective2}ly and
  [answered|taken seriously].
- [Try it|Exercise]: [pairs|neighbours] [explain|draw] {subject} with a {noun} and a {tool} in {60..180} seconds.
- [Return|Close]: the {item} [again|once more], [now|but] [lit|seen] [differently|with {colour3} light];
  [last|final] sentence [by heart|without notes].

[Practise|Rehearse] {3..6} times, [once|one time] in front of {name3} and the {animal}; [cut|drop] part {3..5} if
  you [pass|need] {minutes} minutes.

@ haiku-set
> [Write|Please write] [three|3] [short poems|haiku-like poems] about {material}, a {animal} and {city} in {season}.
< [Three|Here are three] [small|short] poems:

&6
- {Season} in {city}: / {colour} {material} [on|by] the [sill|gate], / {name} [hums|counts] to {8..11}. /
- The {adjective} {animal} / [turns|sleeps] [round|beside] {item}; / {day} [waits|stays] outside. /
- {Fruit}, [half|just] [ripe|sold], / a {song} [without|lost its] words / [over|from] {street}. /
- [Rain|Snow|Wind] [asks|tells] the {place} / [what|how] {material2} [remembers|keeps]: / {colour2}, [then|and]
  {colour3}. /
- [One|A] {job} [alone|at dusk], / {adjective2} [hands|steps], {food}; / [somebody|someone] [calls|laughs]. /
- [No|Not a] {instrument}, / [only|just] the {animal}'s [breath|shadow] / [on|across] {item2}. /

[The slashes|Slashes] [mark|are] line breaks. [If|Should] you [want|like], I [keep|write] the [strict|old] count of
  syllables, [add|bring in] {name2} or [move|change] the {season} to {month}.

@ explain-process
> [How|By which steps] does a {shop} in {city} [get|come to] its {item}? [Explain|Describe] the way from {material}
  to the [shelf|customer] simply.
< From {material} to {item} [there are|it takes] about {5..7} [stations|steps]:

#6
- [Raw|First] {material} is [bought|weighed] [near|in] {city2}, {200..990} kilograms at a time; a {job} called
  {name} [checks|looks at] the {colour} [grain|surface].
- [Cutting|Shaping]: a {tool} and a {device} [make|turn out] {20..90} blanks an hour, {adjective} but [equal|alike].
- [Drying|Resting] [takes|needs] {2..20} days in a {adjective2} [hall|room] by {street}, [turned|moved] every {day}.
- [Finishing|Surface]: {colour2} [oil|paint|wax], by hand, [because|as] machines [miss|leave] the [edges|corners],
  says {name2}.
- [Testing|Control]: [one|every] {11..30}th piece is [dropped|bent|soaked]; {2..9} of {1000..5000} [fail|break].
- [Packing|Transport]: {6..40} in a box with {material2}, [by|on] [rail|ship|lorry] to {city}, {40..190} cents [a
  piece|each].
- In the {shop}: [unpacked|put out] on {day2}, [priced|marked] at {8..70} dollars, [next to|beside] the {fruit}.

[What|The part that] [customers|people] [pay for|never see]: [waste|drying] and [the rent|{street2}]. [Ask|If you
  ask] for [seconds|pieces with a flaw], {name3} [sells|has] them [cheaper|for half].

@ agree-disagree
> [Is it true|Do you agree] that {hobby} [teaches|gives] more than [lessons in|books about] {subject}? [Argue|Give]
  both sides.
< **[For|Yes]**

&4
- {Hobby} [answers|responds] at once: a [wrong|{adjective}] move, and {item} [fall|break]; [books|a chapter] on
  {subject} [forgive|allow] [everything|errors] for {20..90} pages.
- In {city} {name}, a {job}, [learned|learnt] [patience|measure] with {material} at the {place}, [not|rather than]
  [at|in] school.
- [Groups|People] of {4..19} at {hobby} on {day}s [argue|decide] like [adults|a council], [with|over] {food}.
- What the hands [know|did] in {month} is [there|alive] in {month2}; what was [read|underlined] in {colour}
  [often|mostly] [is not|has gone].

**[Against|No]**

&4
- {Subject} [reaches|goes] where {hobby} [does not|never will]: to {city2}, to {1200..1890}, to people
  [unlike|other than] {name2}.
- [Without|No] terms, [without|no] [questions|proofs]: [one|a person] can [do|enjoy] {hobby} for {11..40} years and
  [repeat|copy] the first {adjective2} mistake.
- A [good|{adjective3}] lesson [needs|uses] both, {animal} and [diagram|text], [as|like] {name3} [shows|does] at
  the {event}.
- [Not|Not quite] everybody [can pay|has] {30..300} dollars for {item2}, and the {place2} [lends|has]
  [books|volumes] for [nothing|free].

[So|In the end]: [the question|it] is [badly|wrongly] [put|asked]. {Hobby} [makes|gives] the questions, {subject}
  [keeps|orders] the answers; [begin|start] with [whichever|the one that] [leaves|makes] you less {feeling}.

@ house-rules
> We are {people:3..8} people [sharing|in] a [house|flat] in {street}, {city}. [Suggest|Write] house rules
  [that|which] [nobody hates|people keep].
< [Few|Short] rules [last|are kept] longer. For {people} people in {street}:

#7
- [Kitchen|Dishes]: [clean|empty] by {9..11} at night; {food} for all [earns|buys] a [day|week] off.
- [Noise|Music]: {instrument} and {device} [end|stop] at {9..10} on weekdays; a {song} at the {event} is
  [excepted|another matter].
- [Money|Costs]: {15..60} dollars a month into the {material} box, [kept|counted] by {name} [until|till] {month},
  then by {name2}.
- [Guests|Visitors]: [up to|at most] {2..9} nights; [a word|a note] on the {colour} board [before|by] {day}.
- [Things|What is broken]: [say|tell] it the same day; [repair|replace] in {3..14} days, [ask|with] {name3}, who
  [is|was] a {job}.
- [Animals|Pets]: the {animal} of {name4} [stays|sleeps] out of the {adjective} room and [never|does not]
  [meets|eat] {fruit}.
- [Meeting|Talk]: {day2}, {20..50} minutes, every {2..5} weeks; one person [speaks|talks], [others|the rest]
  [peel|eat] {fruit2}.
- [Bath|Shower]: {5..12} minutes before {8..9}, [longer|as you like] [after|later].

[Hang|Put] them [beside|next to] the [door|{item}], [sign|date] them, and [strike out|drop] [one|a rule] that
  [failed|made people {feeling}] [each|every] {season}.

@ review-restaurant
> [Write|Help me with] an honest [review|online review] of a [restaurant|café] in {street}, {city}: {food}
  [good|excellent], service slow, {colour} walls, {price:14..70} dollars.
< **{3..4} of 5: [come|go] for the {food}, [bring|take] "{book}"**

&6
- We [came|were there] on a {adjective} {day} in {month}, [two|three|{4..6}] of us, and [sat|were put] between a
  {instrument} and {colour} walls.
- The {food} is [excellent|very good]: [warm|crisp], {adjective2}, with {fruit} [where|when] one [expects|fears]
  [sugar|cream].
- [Service|Everything else] [takes|needs] time: {20..50} minutes [to|until] the menu, {15..40} [more|to the bread],
  and [nobody|no one] [looked|seemed] {feeling} about it.
- {Name}, who [waits|serves] [alone|all tables], is [friendly|kind] and [deserves|needs] a [colleague|second pair
  of hands].
- [Also|We also] [tried|shared] {food2}, [fine|decent] but [small|{adjective3}], and a [glass|pot] of [tea|juice]
  in {material} cups.
- [The bill|We paid]: {price} dollars [each|a head], [fair|right] for {city}, [cash|card] [only|preferred].
- [At|Near] the next table a {job} [taught|told] {name2} all about {subject}, [which|and that]
  [shortened|sweetened] the wait.

[Tip|Advice]: [book|come] before {6..7}, [sit|ask for a seat] [by|near] the {item}, [skip|leave] the {fruit2},
  [stay|wait] for the {song} at {9..10}.

@ moving-checklist
> [We move|I am moving] from {city} to {city2} on {date:2..28} {month} with a {animal} and a {instrument}.
  [Checklist|What must I not forget]?
< [Six weeks|{5..8} weeks] [before|ahead]:

*4
- [Give|Hand in] notice for {street}, [in writing|by letter], [and|plus] ask {name} about the {material} floor.
- [Compare|Get] {3..5} movers; [tell|warn] them of the {instrument} ({40..190} kilograms) and {2..6} [stairs|floors].
- [Sell|Give away] {item}, the {colour} [sofa|cupboard] and {20..90} kilos of [books|paper] at the {event}.
- [Look|Ask] for a {job}, a doctor and a vet in {city2}; {company} [keeps|has] a list.

[One week|{6..9} days] before:

*4
- [Label|Mark] boxes {colour2} for the kitchen, {colour3} for {hobby}; [number|count] them [up to|to] {25..99}.
- [Empty|Defrost] the fridge: {food} on {day}, {fruit} to {name2}, [the rest|leftovers] to the {place}.
- [Read|Photograph] the meters, [send|mail] {3..5} digits each to the [power|water] company, and [note|write down]
  {8..11} o'clock.
- [Pack|Fill] one bag with [papers|keys], {tool}, [soap|a lamp], [bread|tea] and the {device}.

On the {date}th: the {animal} [travels|goes] [last|first], [with|beside] {name3}, in the {adjective} [car|corner].
  The {instrument} [rests|stays] {12..48} hours [before|until] it is [tuned|played] in {street2}.

@ interview-questions
> [Which|What] questions [should|could] I ask a {job} in an interview for [the|our] {noun} magazine of {city}?
  [Topic|It is about] {subject}.
< [Open|Good] questions [begin|start] small. For a {job} [on|and] {subject}:

#7
- What [lay|was] on your {material} table [this|on {day}] morning, [apart from|besides] {item}?
- [Who|Which person], [perhaps|say] a {name} or a {name2}, [first|once] [showed|told] you that {subject} [is|was]
  your [business|matter]?
- [Tell|Describe] {month}, {1980..2019}: [what|which {colour} things] [could|did] you see [from|through] the window
  in {street}?
- [When|At which {event}] did a {job} [last|ever] make you feel {feeling}, and [what|how] did you [say|do]
  [then|about it]?
- [Suppose|Imagine] the {place} of {city} [gave|offers] you {500..9000} dollars and {3..12} {adjective}
  [helpers|students]: what [first|then]?
- [Which|What] word of {language} [do you miss|is missing] [in|when] English [talk|books] about {subject}?
- [What|Which part] [did|does] "{book}" [get|tell] wrong [about|on] people [like|such as] {name3}?
- [Is there|Do you know] a {song}, a {food} or a {animal} without [which|that] your [work|day] [would fail|stops]?

[Leave|Keep] {3..9} seconds of silence after [each|an answer]; the [best|{adjective2}] sentence [comes|often comes]
  [then|late]. [End|Close] with: "[Whom|Who else] [must|should] I [ask|talk to] in {city2}?"

@ apology
> [Write|I need] an apology to my neighbour {name}: my {animal} [ate|ruined|broke] {item} in the garden of {street}
  [during|while] the {event}.
< Dear {name},

&6
- [on {day}|yesterday], [while|as] we [were|sat] at the {event}, my {animal} [found|got through] the {material}
  fence and [met|discovered] your {item}.
- [There is|I have] no excuse: the gate [was|stood] open, and I, [as|being] a {job}, [should|ought to] have
  [known|looked].
- [I know|{Name2} told me] that you [made|painted] them [yourself|by hand], {colour}, in {month}, after {9..40}
  [evenings|hours].
- [Enclosed|With this letter] you find {20..180} dollars; [should|if] the {shop} in {city} [ask|want] more,
  [tell|please tell] me.
- [I would|May I] also [like to|] [help|offer]: {3..9} hours with {tool} and {colour2} paint, on {day2} or
  [whenever|any day] you [like|say].
- The {animal} [looks|seems] {feeling} and has [lost|given up] {fruit}, [its|the] {adjective} [passion|treat],
  until {month2}.
- [Next week|By {day3}] a [higher|new] fence of {material2} [will|shall] [stand|be there], {120..190} cm, [dug|set]
  {20..50} cm deep.

[I hope|It would be good if] we can [laugh|talk] about it [over|with] {food} [before|in] {season}.

[Your|In regret, your] neighbour {name3}

@ product-description
> [Write|Create] a product text for {item} of {material} by {company}, {price:9..95} dollars, for
  [people|customers] who [like|do] {hobby}.
< **{Item} of {material}: [made|for] {adjective}, [used|to be] {adjective2}**

&5
- [Some|Certain] things [belong|go] to {hobby} like {fruit} to {month}: [you notice|one notices] them [when|once]
  they are [missing|gone].
- {Company} [makes|builds] them in {city}, {11..70} a day, [from|with] {material} that has [rested|dried] {3..18}
  months.
- [Each|Every one] [passes|goes] through the hands of {name}, a [former|trained] {job}, who [signs|marks] it in
  {colour}.
- They [weigh|are] {150..900} grams, [fit|go] into a {material2} bag, and [survive|take] {day}s at the {place} and
  [a fall|a {animal}].
- [After|In] {2..9} years they [look|are] [better|like {word} and {word2}]: {colour2} [turns|fades] to {colour3},
  [edges|corners] get [soft|round].

*5
- [Size|Measures]: {12..80} × {12..80} × {3..30} cm
- [Colours|Comes in]: {colour4}, {colour5}, {colour6}
- [Care|Cleaning]: [lukewarm water|a dry cloth|beeswax], [never|not] [a machine|sun and steam], [every|each] {2..9}
  weeks
- [Guarantee|Repair]: {2..12} years, [sent|by post] to {street}, {city2}
- [Price|Costs]: {price} dollars, [two|a pair] for {20..180}

[Not|This is not] for [everybody|collectors]: it [wants|likes] [to be|being] [carried|used|dropped], [best|above
  all] at the {event}.

@ fitness-plan
> [I am|{name} is] {age:25..70}, a {job} who [sits|stands] all day, and [wants|want] to [run|walk] {km:5..21}
  kilometres at the {event} in {month}. [Plan|How]?
< [From|With] a {job}'s day to {km} kilometres [takes|needs] {10..20} weeks [without|and no] haste. [Three|3]
  [units|sessions] a week:

*5
- {day}: {15..35} minutes [easy|slow], [round|along] the {place} of {city}, [so|so slow] that one could [sing|hum]
  a {song}.
- {day2}: {4..9} times {60..180} seconds [brisk|fast] in {street}, [with|then] {90..200} seconds [of walking|to
  breathe].
- {day3}: the long one, {25..60} minutes at first, [plus|adding] {3..6} every week, [with|carrying] {fruit} and water.
- {day4}: {hobby} or {10..25} minutes of [stretching|balance] on a {material} mat, {colour} [socks|light]
  [optional|allowed].
- Every {3..5}th week [halve|cut] all of it; [legs|tendons] [grow|learn] in [pauses|weeks like that].

[Watch|Mind]:

*4
- [Shoes|Good shoes] from a {shop}, {70..160} dollars, [tried|tested] in the [evening|afternoon], [when|as] feet
  are [larger|tired].
- [Pain|Anything] that [stays|lasts] for more than {2..5} days [belongs|goes] to a doctor, [not|rather than] to
  {name2}'s {adjective} [advice|cure].
- [Eat|Have] {food} [two|{2..4}] hours before, [not|never] [new|{adjective2}] things on the day in {month}.
- [Lost|Missed] a week? [Repeat|Do again] the [last|one before]; [never|don't] [double|catch up], [even|also] if
  {feeling}.

In {month} [start|begin] [behind|after] the {animal} costume and [smile|wave] at {name3} by kilometre {3..5}.

@ invitation
> [Write|Make] an invitation to a {event} in {street}, {city}, on {day} {date:2..28} {month}, with {food} and a
  {instrument}. [Tone|It should be]: [funny|warm].
< **You are [wanted|invited], [dead tired|rested] or {feeling}!**

&6
- On {day}, {date} {month}, at {5..8} o'clock, {street} [becomes|turns into] a {event}; the {animal} has
  [agreed|signed].
- [There will be|Expect] {food} for {20..90}, [made|stirred] by {name}, who [is|was] a {job} and [measures|weighs]
  [nothing|by eye].
- {Name2} [plays|brings] the {instrument}: {3..12} {song}s, [two|some] of them [on purpose|known], [one|the last]
  in {language}.
- [Wear|Put on] something {colour} or something of {material}; [whoever|who] [wears|comes in] both [wins|gets] {item}.
- [Bring|Carry] {fruit}, a {adjective} chair, and [one|a] sentence about {subject} that is [true|false] and
  {adjective2}.
- [Rain|Should it rain]: then in the {place}, {4..19} [steps|doors] away, [between|among] the {item2}, [as|like] in
  {2011..2023}.
- [Children|Neighbours] [stay|may stay] as long as the {colour2} [lamps|lanterns] [burn|hold]; [parents|the others]
  [longer|until {10..11}].

[Answer|Tell us] by {day2}: [yes|a drum] for yes, [no|silence] for no, [a {word}|"{word} {word2}"] for
  [perhaps|"with the {animal2}"].

[We look forward|Yours]: {name3}, {name4} and the [house|whole of {street}]

@ morning-routine
> [How|In what way] can a {job} [with|who has] {children:1..4} [small|] children in {city} make mornings less
  [hectic|{adjective}]?
< [Mornings|Most mornings] [are decided|are lost] the [evening|night] before. [Some|A few] things that [help|hold],
  [even|also] with {children} [around|in the flat]:

*6
- [Lay|Put] out {colour} and {colour2} clothes at {7..9}, one {material} [basket|hook] [each|a child];
  [choices|discussions] end [there|then].
- [Breakfast|Food] from {3..5} [things|dishes]: [bread|porridge], {fruit}, [on {day}s|sometimes] {food},
  [no|without] [menu|vote].
- [Play|Start] the same {song} at {6..7}:{10..55}; [when|once] it [ends|is over], [shoes|teeth] [are|must be] on
  [their way|the agenda].
- [Everything|What] [that leaves|goes out]: {item}, keys, the {noun}, [on|at] the {adjective2} [shelf|bench] by the
  door, [packed|checked] by {name}.
- [Wake|Get up] {15..40} minutes [before|ahead of] the others, [for|with] tea and {10..20} pages of "{book}",
  [not|instead of] the {device}.
- [Swap|Trade] {day2}s with {name2} from {street}: [one|she] [brings|takes] [all|the] children to the {place}, [the
  other|you] [sleeps|work].
- [Leave|Plan] {7..15} minutes for the {animal}, a [lost|missing] {word} and [feelings|being {feeling}].

[Begin|Start] with [one|a single thing], [perhaps|say] the [basket|song], for {8..20} days. [If|When] {month}
  [breaks|upsets] it, [begin|start] [again|over] on a {day3}.

@ explain-choice
> [Why|For what reasons] do [many|so many] people [move|go] from {city} to {city2} [to work|for work] as {job}s? [A
  guess is fine|Speculate a little].
< [I have|There are] no numbers [for|on] {city} and {city2} [here|at hand]; [as a guess|guessing], [several|these]
  [things|reasons] [work|act] together:

*6
- [Rent|Housing]: [in|around] {street} {500..900} dollars [may|might] [buy|get] {12..30} square metres,
  [elsewhere|there] {30..70} and a {adjective} [yard|view].
- [Work|Demand]: [one|a] {company} [opens|grows], needs {40..700} {job}s, [and|then] [pays|offers] {8..25} percent
  [more|above].
- [Friends|People who know people]: {name} [went|moved] in {2009..2022}, {name2} [followed|came after], [then|and
  then] half the {event}.
- [Time|Daily life]: {11..40} minutes to the {place} [by|on a] bicycle, {hobby} before [supper|{food}],
  [quiet|dark] by {10..11}.
- [School|Children]: a {adjective2} [school|nursery] that [teaches|has] {instrument} and {language}, [places|room]
  [free|left] in {month}.
- [Stories|Image]: "{book}" [made|painted] {city2} {colour}, and [films|songs] [such as|with] a {song} [did|do] the
  rest.

[Against it|On the other side] [stand|speak] {food}, [parents|old friends], [the|a] {material} bridge one
  [misses|dreams of], [and|plus] {2..9} {feeling} [months|winters]. [To|If you want to] [know|find out],
  [ask|compare] the [register|census] of {2012..2021} [with|and] {5..12} [people|{job}s].

@ travel-phrases
> [Which|What] should I [know|have in mind] when I [visit|stay with] a {language}-speaking family in {city}? [I
  am|I feel] {feeling} about [manners|doing it wrong].
< [Families|Houses] differ more than [countries|languages], so [watch|look] first. [What|Some things that]
  [rarely|seldom] [goes|go] wrong:

*6
- [Bring|Take] {fruit} or {item} from {city2}, [wrapped|tied] in {colour} [paper|ribbon], [for|worth] {8..40}
  dollars; [hand|give] it [over|to] at the door.
- [Ask|Find out] about shoes, [then|and] the {animal}, [then|and] the {adjective} chair that [belongs|may belong]
  to {name}.
- [Learn|Know] {5..15} words of {language}: [please|thanks], [enough|delicious], "{food}", and the [names|ages] of
  the children.
- [Eat|Try] [some|a little] of everything; [praise|ask about] the {food}, [which|as it] [took|takes] {name2} {2..6}
  hours.
- [Talk|Speak] of {subject}, {hobby}, a {song}; [leave|keep] [money|elections] to the [hosts|family], [at
  least|anyway] until {day}.
- [Help|Offer help] [twice|two times]: [carry|wash] the {material} bowls, [even|also] when they say "[sit|no]" [the
  first time|at first].
- [Write|Send] a card of {3..9} lines from {street} [within|in] {5..14} days, [naming|with] the {colour2}
  [room|garden] and {name3}'s {instrument}.

[A mistake|Something wrong] [happens|will happen], [and|but] "[sorry|I am new here]" with a [smile|{adjective2}
  face] [mends|repairs] {8..9} of 10.

@ decide-major
> [My daughter|{name}] [can't decide|hesitates] between [studying|a course in] {subject} and [an
  apprenticeship|training] as a {job}. [How|What] [can I|may I] [help|say]?
< [Ask|Do] more than you [advise|say]. [Steps|Things] that [make|help] the [choice|picture] [clear|larger]:

#6
- [Spend|Arrange] {2..5} days with a [real|working] {job}, [perhaps|say] {name2} in {street}: [up|there] at {5..8},
  [with|among] {material} and [customers|complaints].
- [Sit|Listen] in [a lecture|two lectures] on {subject} in {city}, [on|some] {day} in {month}, and [read|open]
  {20..60} pages of [what|the book] they use.
- [Write|Let {name3} write] [two|a pair of] letters, [dated|from] {2031..2039}, [one|each] as if [either|that] path
  [had|was] [worked|taken]; [which|see which] sounds {adjective}?
- [Count|Add up]: {3..6} years, {300..900} dollars a month [against|and] {800..1600}, [living|a room] [at home|in
  {city2}].
- [Name|List] what [stays|remains] [anyway|in both]: {hobby}, the {instrument}, [friends|Saturdays] at the {place}.
- [Find|Ask] [somebody|a person] who [changed|left]: a {job} [now|later] in {subject}, or the [reverse|other way];
  the {event} has [such|those] [people|stories].

[Neither|No] choice is a {material2} wall: [many|a good many] [switch|turn] after {1..3} years. [Say|Tell {name4}]
  that you [will be|are] {adjective2} and [there|on her side], [with|and bring] {food}, [whatever|whichever way]
  {season} [brings|goes].

@ translate-tone
> [Make|Turn] this note to {name} [friendlier|kinder]: "You took my {item} from the {place}. Bring them back by {day}."
< "[Hello|Dear] {name}, [I believe|it seems] my {item} [went|travelled] home with you from the {place}.
  [Could|Would] you bring them [back|along] by {day}? [I need|They are for] the {event} in {month}, and {name2}
  [asks|waits] for the {colour} ones. [Thank you|Thanks a lot]!"

*4
- [A question|Asking] instead of an order, [but|and] {day} [stays|is still there]: [kind|warm] is not
  [vague|{adjective}].
- A [reason|why]: the {event} [makes|turns] it about {item}, [not|no longer] about {name}'s [character|{adjective2}
  hands].
- "[Went home with you|Travelled]" [leaves|keeps] room for a [mistake|mix-up], like the {fruit} [of|in] {street}.
- [One|A] detail, {colour}, [helps|lets] {name} [find|know] the right ones among {11..60}.

@ science-fair
> [Ideas for|Suggest] a [science fair|school] project about {subject} with {material}, {fruit} and at most
  {money:10..60} dollars, for {name}, {age:9..15}?
< [For|With] {money} dollars and a kitchen in {city}, {name} [can|could] try:

*5
- {Fruit} on {material}, {3..9} of each: [weigh|measure] them at {7..9} and {6..8} o'clock for {5..14} days,
  [draw|plot] the curve in {colour}.
- [Ask|Poll] {20..80} people in {street} what they [know|think] of {subject}, [before|and again after] a
  {3..9}-minute [show|story] with a {animal}.
- [Build|Make] a model of {subject} from {material2} and {item}, {30..90} cm [wide|tall], with [one|a] {colour2}
  part that moves.
- [Compare|Test] {3..6} {tool}s or {item2}: [which|what] [holds|lasts] {10..90} turns, says {name2}, a {job}?
- [Listen|Record]: a {instrument} in the {place}, in the [bath|cellar], under {material3}; {name3} [guesses|rates]
  {9..30} times.

[Write|Keep] a {colour3} notebook: date, [guess|question], [numbers|result], [doubt|mistake]. Judges at the {event}
  [ask|look] for [doubt|it] [first|above all].

@ packing-list
> [What should I pack|Packing list, please]: {days:3..14} days in {city} in {month}, {hobby}, one {adjective} bag?
< For {days} days in {city}, [light|small] and [in layers|dry]:

*6
- {2..4} shirts, {colour} or {colour2}, [which|as they] [hide|forgive] {food}
- [shoes|boots] for {hobby}, [worn|broken in] {20..90} kilometres before {month}
- a coat of {material}, [folded|rolled] around the {device} and {item}
- "{book}", {200..700} grams, or its [half|first {90..190} pages]
- [soap|pills|plasters], {3..9} {adjective2} socks, a {noun} [copy|card] from {company}
- [a gift|something] for {name}: {fruit} or {item2} from {city2}

[Leave|Let] the {instrument} [at home|with {name2}]; the {place} [rents|lends] [one|such things] for {4..20}
  dollars [a day|each {day}].

@ motto
> [Suggest|Find] a motto for the {event} of our {place} in {city}, [topic|about] {subject}, not too {adjective}.
< [Some|A handful], from [plain|dry] to [bold|playful]:

*6
- "{Subject}: {2..9} ways to [ask|begin]" – [plain|clear], [fits|good for] a {colour} poster of {40..90} cm.
- "From {word} to {word2}" – [nobody|no {job}] [knows|guesses] what it [means|is], and [all|everybody] [ask|come].
- "{City} [listens|looks closer]" – [say|ask] {name}, [whether|if] the {company2} [campaign|people] used it in
  {2009..2023}.
- "{Material}, {fruit}, {subject}" – three nouns, [one|a] {song}, [works|sings] with the {instrument}.
- "[Bring|Take] your {animal}" – {adjective2}, [honest|risky], [remembered|loved] by {name2}.
- "{Number:3..9} {word3}s and [one|a single] question" – for {day}, [when|since] {feeling} people [walk|come] by.

[Vote|Decide] with {item} in {material2} jars, {20..95} [people|votes], [until|by] {day2}.

@ fix-text
> [Correct|Fix] my [text|English]: "Yesterday I goed to the {place} in {city} with {name}, we buyed {count:3..19}
  {item}, it was very {adjective}."
< "Yesterday I went to the {place} in {city} with {name}. We bought {count} {item}, and it was [very
  {adjective}|really {adjective}]."

*4
- [goed → went|"went"]: go is irregular, [as in|like] "{Name2} went to {street} on {day}".
- [buyed → bought|"bought"]: [the same|so too] "{name3} bought {fruit} for {4..30} dollars in {month}".
- [A full stop|Two sentences]: [a comma|commas] [can't join|are too weak for] "I went to the {place2}" and "we ate
  {food}".
- "very {adjective}" [is right|is fine]; "{adjective2}" or "{adjective3}" [would|might] say [more|it without "very"].

[Try|Now you]: "Last {day2} {name4} (go) to the {event}, (buy) {item2} and (see) a {colour} {animal}." [Send|Show]
  me [what|the sentence] you [get|write].

@ garden-help
> [Why|What is the reason] do the {fruit} in my garden in {city} get {colour} [spots|leaves] in {month}? I
  [water|give them water] {n:1..9} times a week.
< From here I [can only guess|see nothing], but [these|such] spots on {fruit} [have|come from] [few|mostly the
  same] causes:

*5
- [Water|Wet leaves]: {n} times [is|may be] [much|a lot] where the soil is {adjective}; [feel|test] {5..12} cm
  down, [then|first] decide.
- [A fungus|Mildew]: {colour} turns {colour2}, [dusty|with rings]; [cut|take off] {2..9} leaves, [burn|bin] them,
  [clean|wipe] the {tool}.
- [Hunger|Iron]: veins [stay|keep] green; {name}, a {job} in {street}, [swears|goes] by {30..90} grams of
  [meal|compost] a plant.
- [Sun|Frost]: [only|just] on the side of the {material} wall, [after|since] {day}; it [heals|passes] by itself.
- [Guests|Insects]: [look|search] underneath at {6..10} in the evening with a [lamp|{device}]; [count|note] {3..40}.

[Send|Take] {2..4} leaves [to|with you to] the {shop} or the {event}; [in|within] {5..15} days [you|{name2}]
  [know|knows] more. Until then, [water|pour] [low|in the morning].

@ quiz
> [Make|Give me] a [quick|short] quiz for {people:4..20} people at the {event} in {city}, topics {subject}, {hobby}
  and {food}.
< [Quiz|A quiz] for {people} people, [answers|key] [at the end|with {name}]:

#6
- [Which|What] of these was [never|not] used in {hobby}: {item}, a {tool}, {fruit}, {material}?
- [Guess|Estimate]: how many {item2} [fit|go] into the {place} of {city}? [Nearest|Closest] to {name2}'s count of
  {1000..9000} wins.
- [True|True or false]: {name3}, {job} in {street}, [eats|makes] {food} on {day} [and|but never] {food2} on {day2}.
- [Hum|Play] a {song} [on|with] the {instrument}; the team that [names|guesses] it [within|in] {10..50} seconds
  [gets|earns] {2..5} points.
- [Draw|Mime] {subject} without [words|hands], {30..90} seconds, [team|row] against [team|row].
- [Finish|Complete] the title: "{book}" or "{book2}", [first|one] word [hidden|covered].
- [Feel|Touch]: {material2}, {material3} or a {animal}'s [brush|blanket]? [Eyes|Both eyes] [closed|shut].

[Prize|The winners]: {fruit} in a {colour} [bowl|bag], {worth:5..40} dollars, [shared|split] [by|among] {3..5}.

@ negotiate
> [How|What is the way how] do I ask my boss {name} at {company} for [a raise|{percent:4..15} percent more] after
  {years:2..9} years as a {job}?
< [With|After] {years} years you [ask|speak] from [work done|facts], not from {feeling} [evenings|bills]. [A
  course|An order] that [works|is fair]:

#6
- [Ask|Book] {name} for {20..40} minutes on a {day}, [with|naming] the subject; [surprise|ambush] makes
  [people|bosses] {adjective}.
- [Bring|Show] three [lines|things]: the {event} ({30..400} guests), the {device} [mended|replaced] in {month},
  {5..30} percent fewer [faulty|late] {item}.
- [Name|Say] the number [first|yourself], [then|and] [be quiet|stop] for {4..9} [seconds|breaths]; {name2}
  [calls|found] that the {adjective2} part.
- [Know|Have] a second wish: a course in {language}, {day2}s [free|at home], a {material} [desk|bench] by the window.
- [If|Should] it be no: "[What|Which {noun}] [must|would] [change|be there] by {month2}?", [written down|noted] in
  {colour}.
- [Thank|Confirm] by mail the same {day3}, {5..9} lines, [copy|one more] for {name3} in {city}.

[Practise|Rehearse] with the {animal} or a friend. [Don't|Never] [threaten|bluff] unless {city2} [has|really
  offers] [a post|something].

@ history-what-if
> [What|How would it be] if {material} had never been [used|known] in {city}? [Imagine|Think it through] for a
  {noun} game about {subject}.
< Without {material}, {city} [would be|becomes] [another|a {adjective}] town. [For|In] your game:

*6
- The {place} [is|gets] built of {material2}, {10..40} metres lower, [lit|warmed] by {colour} {item}.
- {Job}s [rule|lead] the market in {street}, [since|for] only they [mend|carry] {item2} without {tool}s.
- [Music|Feasts]: no {instrument}, [instead|but] {20..80} voices, a {song} [every|each] {day}, [heard|known] as far
  as {city2}.
- {Food} [costs|is worth] {2..9} {fruit}; [thieves|poets] [pay|answer] with {subject}.
- {Name}, {age:14..70}, [finds|hides] a piece of {material}, {colour2}, [warm|humming]: your [plot|first scene].
- A {animal} [guards|sniffs out] [what|all that] [shines|rings]; {name2} of {company} [wants|buys] it for {900..7000}.

[Three|The] endings: [hide|bury] it, [share|show] it at the {event}, or [trade|give] it [for|against] "{book}".

@ pet-care
> [How|What do I need to know to] [look|care] for {name}'s {animal} for {days:2..14} days in {month}? I am a {job}
  and [never had|have no] pets.
< [Two|A few] [talks|questions] with {name} [first|beforehand], [then|and after that] a [rhythm|plan] for {days} days:

*6
- [Food|Feeding]: {30..250} grams at {7..9} and {5..8}, [as|the way] {name} [measures|shows]; [no|never] {fruit} or
  {food}.
- Water: [fresh|new] {2..4} times, in the {material} bowl, [not|never] the {colour} one.
- [Moving|Play]: {15..70} minutes by the {place} or in {street}, [before|after] your shift, [rain|{day}] or not.
- [Watch|Look at]: [eyes|ears], appetite, [gait|droppings]; [call|ring] the vet ({100000..999999}) if it is
  {adjective} for {12..36} hours.
- [Company|Talk]: read "{book}" [aloud|to it], [play|hum] a {song}; {animal}s [know|prefer] voices to the {device}.
- [Dangers|Put away]: {item}, {tool}s, [open|tilted] windows, {name2}'s [plants|{material2} threads].

[Send|Mail] {name} a picture [every|each] {day2}. [When|If] both of you are {feeling}, [sit|lie] on the floor
  {5..25} minutes: [that|it] [helps|works] {8..9} times of 10.

@ write-poem
> [Write|Compose] a [rhymed|rhyming] [verse|poem] for {name}'s birthday: {age:18..90} years, {hobby}, a {animal},
  {food}.
< For {name}, {age} [years|candles]:

&6
- {Name} at {age}, so [people|neighbours] say, / [takes|finds] {hobby} [more lightly|as new] every day. /
- The {animal} sings, / [and|or] [dreams|knows] of {colour} things. /
- [Bring|Serve] {food}, [bring|pour out] tea, / [count|call] the guests from {street}: {20..90} plus three. /
- {City} may [sleep|snow] and {day} may [wait|run], / the {instrument} [knows|says] we have [only|just] begun. /
- [Who|What] counts the years when {fruit} are sweet, / and {name2} [taps|drums] with both [his|small] feet? /
- [Give|Lend] us, {name}, your {adjective} [art|view]: / {subject} by [heart|noon], and [laughing|dancing] too. /

[The slashes|Slashes] are [line ends|breaks]. [Read|Say] it [slowly|standing], [glass|cup] in hand, {3..5}
  [breaths|beats] [after|behind] "{word}"; {name3} [may|can] [hold|wave] the {colour2} {item}.

@ dispute-neighbour
> My neighbour {name}, a {job}, [plays|practises] the {instrument} at {hour:9..11} at night in {street}. [What|How]
  do I [say|handle it]?
< [Talk|Speak] before you [write|complain], and not at {hour}. [A way|Steps]:

#6
- [Wait|Take time] until {day}, [bring|carry] {fruit} or {food}, and [ring|knock] [between|around] {4..6} and {7..8}.
- [Begin|Start] with [the music|something true]: "[The|That] {song} on {day2} was {adjective}; [I|we] [hear|heard]
  it in [bed|the whole flat]."
- [Say|Name] what you need: [sleep|quiet] from {9..10}, [because|as] you [rise|get up] at {4..6} for [the|your] {shop}.
- [Ask|Let {name} say] what [is|would be] possible: [mutes|a {material} mat], [earlier|{day3}s], the {place} in
  {city}, {20..60} minutes [less|a day].
- [Agree|Fix] [a trial|something] for {2..5} weeks, [note|shake hands on] it, [meet|report] again in {month}.
- [Only|Just] then the landlord, {company}, [in writing|politely], with {5..15} dates and no
  [adjective|{adjective2} word].

[Most|Many] {job}s [do not know|are not aware] [what|how much] walls [carry|let through]. [If|Should] you feel
  {feeling}, [take|bring] {name2} [along|as a witness].

@ colour-room
> [Which|What] colours [suit|fit] a {adjective} room of {size:9..35} square metres in {city}, with {material}
  [floor|furniture] and a {colour} {noun} [board|wall]?
< {Material} and {colour} [set|give] the key. For {size} square metres [three|{2..3}] [ways|answers]:

*4
- [Calm|Quiet]: walls in {colour2}, [ceiling|doors] in {colour3}, [curtains|cushions] of {material2}; [good|right]
  for {hobby} [after|from] {6..8} o'clock.
- [Bold|Loud]: one wall {colour4}, {2..4} metres, behind the {item}; the [rest|others] [white|pale], [as|like]
  {name}'s {shop} in {street}.
- [Warm|Old]: {colour5} below, [up to|to a height of] {90..140} cm, {colour6} above, a [line|strip] of {material3}
  [between|in the middle].
- [Green|Alive]: {colour2} [only|just] in [pots|picture frames], {5..19} plants, a {animal} [bed|basket], {fruit}
  in a {material2} bowl.

[Paint|Put] {2..4} sheets of {40..90} cm and [look|see] at {8..9}, {1..3} and {9..10} o'clock: {month} light
  [lies|changes]. {Name2}, a {job}, [adds|says]: [buy|order] {10..20} percent more [than|paint than] you [count|need].
"""

PART: Final = Part("chat", TEXT)
