"""Conversations of several turns, where a later question rests on an earlier answer."""

from __future__ import annotations

from typing import Final

from tulu_data.sample.grammar import Part

TEXT: Final = """
@ plan-then-budget
> [Help|Can you help] me [plan|organise] a {event} at the {place} in {city} for {guests:30..180} [people|guests] in
  {month}?
< [Gladly|With pleasure]. For {guests} people [I would|let us] [settle|begin with] three things: [date|{day}s],
  [food|{food}] and [who helps|hands].

*4
- The {place} is [free|empty] on most {day}s; [ask|write to] {name}, the {job} with the keys.
- {Food} for {guests} [takes|needs] {3..9} helpers and {4..12} {material} tables.
- A {instrument} or a {song}, {20..50} minutes, [not|no] louder than {day2} [allows|permits].
- {Item} in {colour} and {colour2} as [signs|decoration], [made|painted] by [children|{name2}].
> {Name3} [says|thinks] we have [only|just] {money:200..950} dollars. [Is that enough|What now]?
< [It is|{money} dollars are] [tight|little] but [possible|enough], [if|as long as] [everyone|each guest]
  [brings|gives] something:

*4
- {30..45} percent for {food}, [cooked|made] in {street} [rather than|not] [bought|ordered].
- {10..20} percent for the {place}: {name} [may|can] [lower|drop] the rent for {40..90} {item2} [in return|as thanks].
- [Nothing|0 dollars] for music: the {instrument} [pupils|class] of {name4} [look|looks] for [an audience|listeners].
- {5..15} percent [kept back|as a reserve], [because|since] a {device} always [fails|breaks] [on|before] a {day3}.
> [And|Good. And] if it rains [in|that] {month}?
< [Then|In that case] the {place2} in {street2}, {5..15} minutes away, [has|offers] a [roof|hall] for {20..200}.
  [Tell|Ask] {name5} before {day4}; [print|write] both [addresses|places] on the {colour3} [invitation|leaflet],
  and [decide|choose] at {8..11} o'clock [that|on the] morning.

@ code-review-talk
> {Name} at {company} [says|claims] my {noun} loop is slow: for each {noun} I search the whole list of {field}
  values. [Why|What is wrong with that]?
< [Each|Every] {noun} [walks|goes] through the list again: with {1000..9000} of both [that|it] [makes|becomes]
  millions of [looks|comparisons]. [Put|Collect] the {field} values [in|into] a set [first|once]; [then|after that]
  each [look-up|question] [costs|takes] the same, however [many|long].
> [And|But] I need the {field2} [that belongs|belonging] to it, not only yes or no.
< [Then|So] a dictionary from {field} to {field2}: [one|a] pass to [build|fill] it, one [look-up|access] for each
  {noun}. [Mind|Watch] {field} values that [occur|come] twice: the [last|later] one [wins|stays], [unless|if not]
  you keep a list of {2..9} or [more|so] [per|for each] key.
> [It|The memory] [grew|went up] to {300..990} megabytes on {day}. [Is that|Because of] the dictionary?
< [Probably|Likely]. [Three|Some] [cures|ways out] for {company}'s {noun} job in {city}:

*4
- [Keep|Store] [only|just] the {field2} of {nouns:10..90} thousand recent ones; {name2} [knows|can say] how far
  back {month} [reaches|goes].
- [Sort|Order] both files [by|on] {field} and [walk|read] them side by side, [as|the way] one [merges|zips]
  [decks|lists] of cards.
- [Move|Leave] it to the database: an index on {field}, [and|then] a join [returns|gives] what {name3} [needs|wants].
- [Measure|Profile] [first|before]: {word} and {word2} [look|seem] [big|guilty] in the {colour} [chart|graph],
  [yet|but] [may not be|often are not].

@ language-lesson
> [Teach|Show] me [some|a little] {language} [culture|daily life] before I [move|go] to {city} as a {job}.
< [Let us|We] begin with a day. At {6..8} o'clock the {shop} in {street} opens; people [buy|ask for] {fruit} and
  [greet|nod to] [each other|{name}]. [At noon|Later] there is {food}, [and|then] {20..60} minutes without
  [calls|talk]. In the evening, {hobby} [by|at] the {place}. [Which|What] part [interests|worries] you?
> The {shop}. What do I say when {name} [laughs|does not understand]?
< [Laugh|Smile] too, [point|show], [repeat|say it] slower. [Three|Some] sentences [carry|take] you [far|through
  {month}]:

*4
- "[How|What] do you call {colour} {fruit}?" [costs|risks] nothing and [earns|brings] {3..9} new words.
- "[My|In my] {animal} [eats|likes] only {material}", said [wrongly|with a wrong word], [makes|made] {name2} a
  friend for {4..20} years.
- "[Again|Once more], please, like [for|to] a child of {3..6}": {job}s [hear|know] it and [help|slow down].
- "[Tomorrow|On {day}] at {9..11}?" with fingers [shown|up] [avoids|saves] [most|many] {adjective} [mistakes|waits].
> [And|What] if I feel {feeling} after [two|{3..9}] weeks?
< [Then|In that case] you are [normal|like everyone]. [Go|Return] to the {shop} at the same hour, [take|bring]
  {item} for {name}, [join|visit] the {event}, and [write|send] {name3} in {city2} [one|a] {adjective2} thing
  [a|each] day. [By|Around] {month} a {song} on the {instrument} [sounds|will sound] [like|of] home.

@ math-hint
> [Don't|Please don't] [solve it|tell me the answer], [just|only] [give|I want] a hint: {name} has {a:20..90}
  {item}, {b:2..9} times as many as {name2}. [How many|What] have both?
< A hint: [draw|imagine] {name2}'s {item} as one [bar|box]. [How many|What number of] such [bars|boxes] does {name}
  have, and how many [bars|boxes] are [there|drawn] [in all|together]?
> {b} [bars|boxes] for {name}, so [one|a single one] more for {name2}. [But|And] {a} [may not|might not] divide
  [evenly|without rest]?
< [Good|Well seen]: [check|try] {a} divided by {b}. [If|Should] a rest [remain|stay], {name} [cut|shared] a
  [pair|piece] of {item}, or the [book|{colour} worksheet] of {company} has an error; [both|either] [happen|are
  known] in {month}. [Write|Note] the [quotient|number] as a fraction and [go on|add] {b} and 1.
> I [told|asked] my [teacher|{job}] {name3}: it should be {c:3..9} times and {d:30..95}. [Same|Does the same] way?
< The same [way|picture]: {d} is [split|shared] into {c} equal [bars|boxes], [one|a] more [of them|bar] is
  {name2}'s, [and|so] [together|in all] there are {c} plus 1 bars. [Multiply|Take] [one|a] bar by that.
  [Tell|Write] me your [number|result], [perhaps|and] with the [drawing|sketch] in {colour2}, and I [check|look
  through] it [before|by] {day}.

@ story-continue
> [Begin|Start] a story with a {adjective} {animal}, a {job} named {name} and {city}.
< [Nobody|No one] in {city} [saw|noticed] the {animal} [come|arrive]. On {day} it [sat|lay] before the {place},
  {adjective}, {colour} with [rain|dust], a {noun} between its [teeth|feet]. {Name}, {job} in {street},
  [bent|knelt] down and [read|smelt] what was [written|left] on the {material}: "{book}".
> [Go on|More], but {name} must not [find|learn] who [wrote|sent] it [yet|before the end].
< {Name} [asked|went] from the {shop} to the {place2}, [showed|held up] the {noun} to {11..40} people, [and|but]
  [each|everyone] [told|gave] another tale: a {job2} [swore|said] the ink was {colour2}, from {city2}; {name2}
  [heard|hummed] a {song} in it; a child [ate|dropped] {fruit} on it, and [words|letters] in {language}
  [rose|appeared]. The {animal} [yawned|looked away], [as if|like one who] {feeling}.
> [Now|And now] the end, [happy|sad] [please|if you can], {40..90} words.
< At {7..11} o'clock the {instrument} in {street2} [fell|went] silent. {Name3} [stood|stepped] [under|out beneath]
  the {colour3} lamp, [old|smaller] and {adjective2}. "[I wrote|I sent] it {10..60} years ago," [came|were] the
  words, "to [whoever|anyone who] would [follow|feed] the {animal}." {Name} [laughed|said nothing],
  [unpacked|shared] {food}, and {month} [smelled|tasted] of {material2}.

@ cook-substitute
> I [want|am going] to make {food} but have no {fruit} and [my|the] {device} is [broken|at the {shop}].
< [Both|The two] can be [replaced|mended]. [Instead|In place] of {fruit} [take|use] {fruit2} and {5..20} grams of
  [sugar|lemon]; [without|lacking] the {device}, a {material} [pan|pot] with a lid, {20..60} minutes, [low|small]
  flame, [turned|shaken] {3..6} times.
> {Name} is [allergic|not allowed] to {fruit2}. And we are {people:3..12} [now|tonight].
< [Then|So] no {fruit2} for {name}: [grate|cut] {100..400} grams of [carrot|beetroot] with {1..4} spoons of
  [vinegar|orange juice] [in its place|instead]. For {people}:

*4
- [double|raise] the [liquid|broth] to {600..1900} millilitres, the salt [only|just] by [half|a third]
- [two|{2..4}] smaller [pans|pots] [cook|are] [faster|more even] than one; {name2} can [watch|stir] the {colour} one
- [set|put] {name}'s [plate|share] aside [before|ahead of] the {adjective} [topping|sauce], [with|under] its own
  {material2} [lid|spoon]
- [bread|rice] from {street} [stretches|fills] what is [short|missing], about {80..120} grams [each|a head]
> [Thanks|Perfect]. [What|Anything] for [dessert|afterwards] [with|using] {money:5..25} dollars from the {shop2}?
< {Fruit3}, {200..900} grams, [halved|peeled], [warm|hot] from the pan, with [yoghurt|cream] and [crumbs|nuts]:
  {10..20} minutes, [about|roughly] {5..20} dollars. {Name3} [could|can] [grate|add] {colour2} [peel|chocolate];
  [call|name] it "{word} of {city}", and [nobody|no {job}] will [ask|miss] [the rest|{food2}].

@ job-coaching
> I have an interview as {job} at {company} on {day}. [Ask|Please ask] me a [question|typical question].
< [Good|Fine], [let us|we] [start|begin] [hard|with a usual one]: "[Tell|Tell us] about a [day|time] when {item}
  [went|were] missing, a {device} failed and {name} from {city} was {feeling}. What did *you* do?"
> I [said|told them] I would stay calm, look for the {item} and ask {name2}.
< [The order|That] is [good|right], but "would" [hides|weakens] you. [Make|Turn] it [real|into a scene]:

*4
- [Place|When]: "[In|It was in] {month} at the {place}, {20..90} [guests|people], {3..9} [minutes|hours] to go."
- [Choice|What you chose]: "I [left|put] the {device} to {name2}, [took|and took] {name} [aside|along] to
  [count|find] the {colour} ones."
- [Result|End]: "{9..80} of {81..99} were [there|back] by {5..9} o'clock; the [others|rest] we [lent|got] from the
  {shop}."
- [Lesson|After]: "[Since|From] then a {noun} list of {material} [hangs|lies] [by|next to] the door."
> [And|What] if they ask [about|for] my [weakness|weak side]?
< [Name|Choose] a [true|real] one that is [small|not the heart] for a {job}, [say|perhaps] {hobby} [eating|taking]
  your {day2}s or [long|{adjective}] mails. [Say|Add] what you [do|changed]: "{Name3} [reads|checks] them, {5..9}
  lines [at most|and no more]." [Then|And] stop; {4..8} seconds of [quiet|silence] are {adjective2}, not [wrong|bad].

@ tech-support
> My {device} [shows|has] a {colour} light and [does nothing|won't start] since {day}. [It is|Bought] from
  {company}, {years:1..9} years old.
< [Let us|We] go [step by step|from simple to hard]. [First|To begin]: [unplug|switch off] for {30..90} seconds,
  [look|check] whether the {material} [plug|cable] is [warm|loose], [try|use] another socket, [perhaps|say] that of
  the {item}. [What|Which] does the light do [then|afterwards]?
> [Now|Then] it blinks {blinks:2..9} times and [stops|pauses]. {Name}, a {job}, [says|thinks] it is the [battery|board].
< {Blinks} blinks [might|may] [be|mean] [either|that], but the manual of {company} [counts|knows]: [look|search]
  for "{blinks}" in the [table|list] near page {20..95}. [Before|Until] you [buy|order] [something|parts]:

*4
- [weigh|press] the [battery|pack]: [swollen|warm] means [out|bring it to] the {place} of {city}, [today|by
  {day2}], [not|never] into the bin
- [hold|keep] the button {8..25} seconds [with|without] the cable, [wait|then wait] {2..9} minutes, [start|try] once
- [write|note] the [number|code] under the {colour2} [label|lid], {4..6} [letters|signs]; {name2} at the {shop}
  [asks|will ask]
- [save|copy] [pictures|what matters] [first|before], if it [wakes|runs] even for {3..9} minutes
> It [runs|works] again! [How|What] do I [keep|avoid] [it alive|this]?
< [Dust|Heat] [kills|ages] [most|many] of them: [a brush|{material2} cloth] each {season}, {5..15} cm of
  [air|space] [behind|around], no {fruit} [juice|above it]. [Charge|Load] to {70..90} percent, [restart|switch off]
  on {day3}s, and [put|keep] the [receipt|{noun}] of {year:2012..2024} with the {tool}.

@ book-club
> [We read|Our club reads] "{book}" at the {place} on {day}. [I have|I got] only to page {page:30..190}. [How|What]
  do I [say|survive]?
< [Be|Stay] honest about page {page}: [first|early] impressions are [worth|rare at] a club. [Ask|Offer]
  [questions|things] that [need|fit] any page:

*4
- [Whom|Which person], {name} or the {job}, would you [lend|trust with] {item}?
- [Why|What for] all the {colour} and {material}? [Decoration|Weather] or meaning?
- [Would|Could] it [happen|play] in {city}, in {month}, among {job2}s?
- [Which|What] sentence did you [mark|read aloud], and who [heard|was there]?
> {Name2} always [asks|wants to know] [about|for] the [style|narrator].
< [Say|Answer] [what|that] you [hear|notice]: sentences of {5..30} words, [short|few] when it [hurts|gets
  {adjective}], [long|many] near {food} and {place2}s. The narrator [knows|tells] [less|more] than {name3}
  [does|admits], [like|as] a {animal} at the [door|table]. [Then|And] [turn|ask back]: "[Where|On which page] did
  you [stop|begin] [believing|to trust] it?"
> [Good|Nice]. [And|What] [shall|should] we read [next|after]?
< [Depends|That depends] on {season}: "{book2}" for [people|clubs] who [like|miss] {subject}, {200..390} pages;
  "{book3}" [if|when] [the last|this] one was too {adjective2}. [Or|Perhaps] something in {language}, {20..60}
  pages, read [aloud|twice] with {fruit} and [no|without a] {device}. [Vote|Let {name4} draw] on {day2}.

@ negotiation-roleplay
> [Play|Be] a [seller|trader] at the {event} in {city}. I want {item} of {material}, [at most|for] {max:20..60} dollars.
< *[A|The] {job} behind a {colour} table looks up.* "[Those|These] {item}? {City2}, {1950..2005}, {material}
  [as|such as] nobody [makes|cuts] now. {70..120} dollars, [because|since] your {animal} [smiles|likes me]."
> "[Too much|That is a lot]. The {shop} in {street} has them for {low:15..30}."
< "[There|In {street}] they are [glued|painted], {adjective}, [gone|broken] by {month}. [Feel|Lift] this:
  {300..900} grams. {61..69} dollars, and {name} [packs|wraps] [them|it] in {colour2} paper. [My|The] {instrument}
  teacher [said|says]: [sell|give] only to people who [touch|look] twice."
> "{offer:31..40}, and I [buy|take] {fruit} [too|as well]."
< "{Fruit}! [You|Now you] [know|found] my weak side." *[Counts|Whispers], [sighs|laughs].* "{45..55}, with {3..9}
  {fruit}, [and|but] you [tell|promise to tell] {name2} at the {place} [who|from whom] has the [good|{adjective2}]
  {item}. [Deal|Hand on it], before {day} [ends|is over]?"

@ sleep-advice
> I am a {job}, [work|on] shifts, and [sleep|get] only {hours:3..6} hours. [Tips|What helps]?
< [Shifts|Changing hours] [pull|push] at the body's clock. [What|Some things that] [helps|help] many:

*4
- [Dark|A dark room]: {colour} [curtains|cloth] of {material}, [tape|felt] over the {device}'s [lamp|light].
- [The same|Equal] {30..60} minutes before bed, [whatever|at any] hour: [wash|tea], "{book}", a {song} [low|without
  words].
- [Last|No] coffee {6..9} hours [earlier|before], [last|no heavy] {food} {3..4} hours before.
- [Light|Sun] [right|straight] after waking, {15..40} minutes, [say|perhaps] on the way past the {place}.
> [At|On] {day}s {name} [practises|plays] the {instrument} [below|above] me at noon.
< [Talk|Speak] to {name} with {fruit} in hand and your {colour2} shift plan: [two|{2..4}] days a week are
  [enough|all] to [move|shift]. [Until|Before] then ear plugs ({20..33} decibels), a [fan|{adjective} hum], a bed
  on the other side, towards {street}.
> And [when|how] should I see a doctor?
< [If|When] it [goes|lasts] beyond {3..6} weeks, if you [nod off|drift] [driving|at the {tool}], [snore|wake] with
  [gasps|headache], or are {feeling} [most days|without cause]. [Bring|Take] {7..14} days of notes: [bed|hours],
  coffee, shift, mood from {1..3} to {8..10}. [A doctor|The practice] in {city} can [check|test] [breathing|iron]
  and [more|the rest], which {name2}'s [advice|blog] cannot.

@ essay-feedback
> [Here is|This is] my [first|opening] sentence: "{Subject} is important because everybody in {city} uses it."
  [Feedback|What do you think]?
< [It|The sentence] [says|promises] [little|too much]: "important" and "everybody" [are|stay] [foggy|{adjective}].
  [Find|Take] one {job}, one {day}, one thing: [what|which {item}] [would|might] [not work|be missing] without
  {subject}?
> "On {day}, {name}, a {job} in {street}, could not [open|sell] a single {noun}, because nobody [there|in {city}]
  knew {subject}."
< [Much|Far] better: a person, a place, a [lack|loss]. [Two|Some] [small|fine] things:

*4
- "a single {noun}" [is|sounds] [strong|clear]; [keep|leave] it, [cut|drop] "there".
- "knew {subject}" could be [exact|smaller]: [which|what {colour} corner] of {subject}?
- [Put|Move] "{day}" [to the end|later] if the day [matters|surprises], [else|or] [name|say] {month}.
- [Read|Say] it aloud: {12..24} words in one [breath|go] [is|are] [enough|the limit], says {name2}.
> [And|Now] the [second|next] sentence?
< [Widen|Open] [slowly|from there]: "[Within|In] {3..9} hours {11..60} people [stood|waited] [before|outside] the
  {shop}, [holding|with] {item2} and {fruit}." [Then|Only then] your claim, [short|plain]: what {name}
  [lacked|missed] is what [schools|the {place}] could [teach|give], [for|at] {40..400} dollars and {2..8} {day2}s.

@ data-cleaning
> [My|Our] table of {count:200..900} {noun} records from {company} has [gaps|holes] in the column {field}.
  [Delete|Should I drop] them?
< [Not|Don't] yet. [Ask|Find out] why the {field} is [missing|empty]: a [broken|{adjective}] {device} in {month} is
  [another|a different] [thing|case] than people who [skip|refuse] it. [How|What share] of the {count} [is|are]
  empty, and [are|do] they [gather|cluster] [by|in] {city}, {day} or {job}?
> {percent:4..30} percent, [nearly|almost] all from {city2} [on|and from] {day2}.
< [So|Then] they are not [random|by chance]: [dropping|without] them, {city2} [vanishes|goes] from [every|each]
  average. [Choices|You could]:

*4
- [mark|flag] them in a column "{field}_known" and [report|count] {city2} [apart|by itself]
- [ask|write to] {name} at the {place}, [who|as she] may have the {material} [notebook|sheets] of {day2}
- [fill|replace] with the median of the same {field2} [group|class] and [say|write] so, [never|not] with zero
- [run|do] it [twice|both ways]; if the {word} figure moves by [less|fewer] than {1..3} percent, [stop|no one need]
  [worrying|care]
> {Name2} wants [one|a single] number by {day3}.
< [Give|Send] one, with its [fence|range]: "{40..90}, [between|and] {30..39} [to|and] {91..99} [if|whatever] the
  {percent} percent [were|are] [low|like] the rest." [One|A] line below: [which|what] was [filled|left out],
  [how|by whom], [when|on {day4}]. [Numbers|A number] without [that|it] [come|comes] back in {month2}, {feeling}.

@ garden-diary
> I [planted|put in] {count:5..40} {fruit} [seedlings|bushes] in {month} in {city}. [What|How] now?
< [Water|Patience] and [notes|a look] [each|every] {day}. For {count} of them: {2..9} litres [each|a plant] a week,
  [more|double] [below|by] the {material} wall, [straw|leaves] {4..9} cm deep, and a [string|fence] against the
  {animal}.
> [Some|{some:2..4} of them] have {colour} leaves and {name} [says|suggests] [pulling|to pull] them out.
< [Wait|Not yet]. [Mark|Tie] the {some} with {colour2} [wool|ribbon] and [compare|watch] {5..12} days:

*4
- [turn|look under] [a|one] leaf at {6..9}: [dots|webs] mean [guests|mites], [soap|water] at {20..30} grams a litre
  [helps|is enough]
- [dig|scratch] {4..9} cm: [wet|{adjective}] soil and [soft|brown] roots [ask|call] for [less|no] water
- [ask|show] a {job} at the {shop}; {name2} [sees|knows] such leaves [since|from] {1985..2015}
- [only|just] if they [spread|move] to {5..9} others, [cut|take] them, [tools|the {tool}] [washed|boiled] afterwards
> [It was|So it was] the {animal}! [Now|And now] [what|how]?
< [Laughing|First, laugh]; [then|and] a [net|mesh] of {2..5} cm, {60..120} high, [held|fixed] by {5..20}
  {material2} [pegs|poles]. [Leave|Give] the {animal} [one|its own] bed by {street} with {fruit2}; [peace|it]
  [costs|takes] {10..60} dollars. [Write|Note] it [down|in the diary] under {day2}, [next to|with] {name3}'s {food}.

@ museum-guide
> [You are|Be] my guide [in|through] the {place} of {city}. [What|Which room] [first|do we see]?
< [Left|This way], [past|behind] the {material} door: the room of the {job}s, {1700..1890}. [Look|See] [low|up],
  where {item} [hang|stand] in {colour} [rows|light]; {name} [mended|counted] {200..900} of them [in|over] {9..40}
  years, [humming|to] a {song}.
> [Who|And who] was {name}?
< [We know|There is] [little|a {adjective} portrait]: {job} from {city2}, [left|right]-handed, [fond|proud] of a
  {animal}, [fined|praised] in {month} for [teaching|selling] {subject} on a {day}. [Letters|{11..60} letters] in
  {language} [lie|wait] unread in the [drawer|box] [below|under the {instrument}]; {name2} of {company} [pays|paid]
  for [their|the] [care|repair] until {2026..2035}.
> [What|Which] would you [save|carry out] [first|in a fire]?
< [Not|Neither] the {colour2} [crown|map], [insured|copied] as it is. I would [take|carry] the {noun} [book|list]:
  {material2}, {90..400} grams, [burnt|wet] at one corner, with the names of {30..90} [children|visitors] who
  [came|stood] here [when|while] {city} had no {fruit}, [and|but] [drew|asked for] {food}. [Come|Now], the {event}
  [closes|ends] at {5..7}.
"""

PART: Final = Part("multi_turn", TEXT)
