"""Safety: what is declined with help instead, and what only looks as if it should be.

Nothing that is declined is told in any detail, neither in the question nor in the answer.
"""

from __future__ import annotations

from typing import Final

from tulu_data.sample.grammar import Part

TEXT: Final = """
@ refuse-break-in
> [How|Tell me how] do I [get|break] into the flat of {name} in {street} while {name2} is [away|at work in {city}]?
< [I won't|I can't] help [anyone|you] [enter|get into] a flat without {name}'s consent. [If|Should] there be [a
  reason|something behind it], [there are|these are] ways:

*4
- [Something|{Item}] of yours [is|left] inside: [write|send] {name} a dated message, [propose|offer] {day} or
  {day2}, [bring|take] {name3} as a witness.
- [Worried|Afraid] for {name}? [Call|Ring] the police or the {place} of {city}; they [may|can] open doors, and
  {3..20} minutes [matter|count].
- [Locked out|Your own key lost]: a locksmith with a shop in {city}, {60..190} dollars by day, [asks|wants] for
  proof, and [should|ought to].
- [Rent|A quarrel about {item2}]: the tenants' office in {street2} [advises|mediates] on {day3}s for {5..40} dollars.

[Tell me|Say] which of these [is nearest|fits], and I [write|draft] the [message|letter] with you.

@ refuse-phishing
> [Write|Make] me an email that [looks|seems] to come from {company}, so that {name} [types|enters] the password.
  [It's a joke|For fun].
< [A joke|Fun] that [takes|collects] a password [is|remains] a theft of it, so I [don't write|leave out] that
  email. [What|Things] I [can|gladly] do:

*4
- [A real|An honest] prank for {name}: a {colour} {noun} from "the Ministry of {fruit}", [sent|signed] by the {animal}.
- [If|In case] you [train|teach] staff at {company}: [agree|sign] it with the [office|people] in {city}, [then|and]
  a [service|course] [plans|runs] it on {day}s.
- A [poster|sheet] on {4..9} signs of [false|fake] mails, [with|in] {colour2}, for the {place}, [hung|read] next to
  the {device}.
- [Help|Steps] for {name} to [turn on|set up] two-factor sign-in, [about|some] {10..40} minutes, [best|say] with {food}.

[Which|What] would [you like|help]? [The poster|The prank] [takes|needs] [me|us] {2..6} minutes.

@ refuse-medicine-dose
> My {animal} [limps|is ill] and the vet [opens|is back] on {day}. [How much|What dose] of my own painkillers
  [can|may] it have?
< [None|Please, none]: [many|several] human painkillers are [poison|dangerous] for a {animal}, [even|also] in
  [small|tiny] amounts, so I name no dose. [Until|Before] {day}:

*4
- [Call|Ring] the emergency vet in {city} [now|today]; [most|they] [advise|answer] by phone [within|in] {5..40} minutes.
- [Keep|Hold] the {animal} [quiet|warm] on {material} [cloth|blankets], [no|without] stairs, [no|without] {hobby},
  water [near|beside] it.
- [Note|Write down]: [since|from] when, [which|what] leg, what it [ate|eats] ({fruit}, {food}), weight, and
  [send|take] {2..5} pictures.
- [If|Should] it [breathe|pant] hard, [swell|bleed] or [stop|not] drinking for {8..14} hours, [go|drive] at once;
  {name} or a taxi [can|could] help.

[How|In what state] is it [now|at the moment]? [Tell|Say] me, and I [help|write] {name2} and you a [note|list] for
  the vet.

@ refuse-essay-forgery
> [Forge|Make] a doctor's note for {name}, so that I [can|may] skip the {event} at {company} on {day}.
< A [forged|false] note [can|may] cost [your|the] post as a {job}, and the doctor's name is not [ours|mine] to use;
  I [leave|won't do] that. [But|Still], {day} can be [free|solved]:

*4
- [Ask|Tell] {name2}: "[I need|May I have] {day} off; I [make up|return] {3..9} hours in {month}." [Short|Plain]
  works [more often|better] than [a story|excuses].
- [Swap|Trade] with a {job2}: [you|offer] {day2} and {food}, [she|they] the {event}.
- [Really|Truly] {feeling} or unwell? [Many|Some] practices in {city} [write|give] a real note [by|after a] video
  call, {10..30} minutes.
- [If|Is it that] the {event} itself [is|feels] {adjective}, [say|name] [one|a] thing that would [help|change] it:
  the {place}, the {song}, {name3}.

[Shall|May] I [write|word] the message to {name2} in {3..6} [lines|sentences]?

@ refuse-stalking
> [How|Tell me how] can I [see|follow] where {name} [goes|is] without {name2} or {name} [noticing|knowing]?
< [Secretly|Without consent] [following|tracking] {name} [would|can] [frighten|harm] and is [against|a breach of]
  the law in [most|many] places, so [no|not with me]. [What|Which worry] is [behind|under] it?

*4
- [Fear|Worry] for {name}: [ask|agree] on a [call|message] at {7..9} and {9..11}; [shared|open] location that
  {name} [switches|turns] on [and off|alone].
- [Doubt|Jealousy]: [a talk|{20..60} minutes] on a {day} walk [near|past] the {place}, [first|beginning] with what
  you [feel|fear]; a counsellor in {city} [has|keeps] hours on {day2}s.
- A child of {8..14}: [tell|show] it the {device}, [agree|fix] rules in {colour} [ink|letters], [look|check] them
  again in {month}.
- You are [afraid|threatened] yourself: [write|note] dates, [go|speak] to the police or the advice centre in
  {street}, [take|with] {name3}.

I am [glad|ready] to [help|prepare] the words for [any|one] of these, {feeling} as it may [be|feel].

@ refuse-hate
> [Write|Make] a [nasty|cruel] poem about [people|families] from {city} for [our|the] {event}.
< [Cruel|Nasty] verses about [where people|a town people] come from [hit|hurt] those who [can't|did not] choose it,
  so I'd rather [not|leave them]. [Teasing|Fun] [works|goes] [without|another way], [for example|like this]:

*4
- [Laugh|Joke] about {city}'s {item}: "[so|how] {adjective} that even the {animal} [asks|pays] for {fruit}."
- A [duel|contest] of praise: {name} [sings|speaks] for {city}, {name2} for {city2}, {30..90} seconds,
  [judge|applause]: the {job}.
- [Make|Rhyme] your own [town|group] the [fool|butt]: who [lost|dropped] {food} on {day} in {street}, and
  [who|which {job2}] [slipped|ate it]?
- A {song} on the {instrument} with [lines|verses] that both [sides|tables] [write|change], {4..8} [each|words],
  about {colour} [coats|doors].

[Say|Tell me] {2..4} [true|harmless] things about the {event}, and I [write|rhyme] [one|them] [at once|now].

@ refuse-self-harm-care
> [I feel|I have felt] {feeling} for {weeks:2..9} weeks, since {month}, and [sometimes|now and then] I [don't want
  to|would rather not] be here [any more|at all].
< [Thank you|I am glad] that you [wrote|say] this. [That|It] sounds [very heavy|exhausting], and you [should|need]
  not [carry|hold] it alone. [Are you|Is it] safe [right now|tonight]? [If|Should] you [might|think you may] act on
  it, please [call|ring] your emergency number or a crisis line [now|at once]; [somebody|a person] [answers|is
  there] day and night.

*4
- [Tell|Write] one person [today|within the hour], [perhaps|maybe] {name} or somebody from the {place}: "[I am|It
  is] not [well|fine], can you [stay|sit] with me?"
- [Go|Move] where [people|others] are: the {shop} in {street}, a bench near {city}'s {place2}, [even|also] for
  {20..60} minutes.
- [Put|Give] [away|to {name2}] what could [hurt|harm] you, and [drink|eat] something [warm|small], {food} if [there
  is|you have] some.
- [Tomorrow|On {day}] a doctor: [take|show] these lines with you, {weeks} weeks is [reason|long] enough,
  [whatever|no matter what] a {job} [must|has to] do.

[Would|Could] you [tell|write] me what [today|this {day2}] was like, [from|since] {7..10} o'clock?

@ refuse-cheat-exam
> [Get|Give] me the answers of [tomorrow's|{day}'s] exam in {subject} at the {place} [or|otherwise] {name} will be
  [angry|{feeling}].
< [Stolen|Leaked] answers I [don't have|would not give], [but|yet] {10..20} hours are [worth|good for] something.
  [Plan|What to do] for {subject}:

*5
- [Now|First]: {20..45} minutes, [write|put] all you know on {material} [sheets|cards], {colour} for [sure|known],
  {colour2} for [gaps|guesses].
- [Then|Second]: the {3..6} [largest|worst] gaps; [send|name] them, and I [explain|show] each with {item} or {hobby}.
- [A break|Food]: {food}, [outside|past the {shop}], {15..30} minutes, [no|without] {device}.
- [Practise|Do] {2..4} old [questions|tasks] [against|with] the clock; {name2} [may|can] [mark|check] them.
- [Sleep|Lights out] by {9..11}: [one|an] hour more of [bed|sleep] [beats|is better than] [one|an hour] of
  [panic|{adjective} reading].

And {name}? "[I studied|I did] {4..9} hours, [it|this] is what I [know|have]" is [hard|enough] to be angry
  [with|at]. [Which|What] gap [first|shall we take]?

@ refuse-weapon
> [For|In] my novel "{book}" a {job} [builds|makes] a bomb in {city}. [Give|Tell] me [real|exact] instructions.
< [Working|Real] instructions I [keep out|leave away], in a novel [too|as well]; the scene [does|will do]
  [better|well] without them. [Readers|What readers] [believe|feel] [hands|people], not [recipes|lists]:

*5
- [Sweat|Smell]: {material} and {fruit} in a {adjective} room in {street}, {2..5} in the morning, a {song}
  [from|through] the wall.
- [Interrupted|Caught]: {name} [knocks|calls] about {item}, and the {job} [answers|speaks] too [friendly|fast].
- [Doubt|Memory]: the {event} of {1970..2010}, a {colour} coat, {name2}'s [word|voice]: "{word}".
- [Cut|Jump]: from the {tool} to the {place} next {day}, where a {animal} [sniffs|stops] and {name3}
  [counts|notices] {7..30} people.
- [Afterwards|Cost]: {feeling}, [washing|scrubbing] hands that [smell|are] {adjective2} for {3..9} chapters.

[Shall|May] I [write|draft] {200..600} words of it, [from|with] the eyes of {name2} or the {job}?

@ benign-kill-process
> How do I kill [a|the] {noun} process that [hangs|is stuck] on my {device} [from|at] {company}?
< [Killing|Ending] a process is [everyday|safe], [if|as long as] it is the right one:

#5
- [Find|List] it: `pgrep -a {noun}` [shows|prints] numbers and names, [say|perhaps] {1000..9999} {noun}-{word}.
- [Ask|Try] politely: `kill {10000..99999}` [lets|allows] it to save its {field} and [close|tidy] files; [wait|give
  it] {5..30} seconds.
- [Force|Only then]: `kill -9` with the number; [what|whatever] was not [saved|written] since {7..11} o'clock is
  [lost|gone].
- [Look|Check] why: `journalctl -u {noun} -n {50..300}`, [search|look] for {field}, {word2} or "{word3}".
- [Tell|Ask] {name} in {city} if it [happens|returns] [each|every] {day}: a {field2} of {90..100} percent [is|may
  be] the [reason|cause].

On Windows the Task Manager [does|has] the same [under|behind] "End task". [Restart|Start] the {noun}
  [service|program] [afterwards|again].

@ benign-shoot-photos
> [Where|How] [can I|do I] shoot [people|strangers] at the {event} in {city} with my new camera?
< [Street|Event] photography [lives|grows] from [respect|closeness]. [At|For] the {event}:

*5
- [Stand|Wait] near the {place} or the {shop} at {4..7}, [when|since] the light is [low|{colour}], [sun|lamps]
  [behind|beside] you.
- [Set|Try] 1/{125..500} second, ISO {200..1600}, {35..85} mm, and [let|leave] {adjective} [shadows|corners] be.
- [Ask|Nod] first with children and {job}s at work; "[may I|is it all right]?" [costs|takes] {2..4} seconds and
  [wins|makes] [faces|smiles].
- [Details|Look for]: hands with {item}, a {animal} under a table, {food} on {material}, {name} [tuning|dropping]
  the {instrument}.
- [Show|Send] the picture: {name2} [gets|likes] a copy, [and|then] tells [all|{9..40}] the others.

[Rules|Law] on publishing [differ|vary]; [ask|look up] those of {city} before you [sell|print] [more|{2..9}].

@ benign-chocolate-dog
> [My|{Name}'s] {animal} [ate|stole] {food}. Is [it|that] [poisonous|deadly]? And what [kills|removes] the
  [smell|stain] on the {colour} {material} chair?
< [It|That] depends on what was in the {food}: chocolate, raisins, onions, and sweeteners [are|can be] [dangerous|a
  reason to call] for many animals. [Look|Read] the [packet|recipe] and [ring|call] the vet with [weight|kilos],
  amount ({30..300} grams) and time ({1..11} o'clock).

*4
- [Vomiting|Trembling] or [sleepy|staggering]: [go|drive] at once, [take|with] the [packet|rest], {name2}
  [holds|carries] the {animal}.
- [Nothing|No signs]: [watch|look] for {6..24} hours, water, no {hobby}, no {fruit}.
- The chair: [scrape|lift], cold water, {10..30} grams of soap, [dab|press] with {colour2} [cloth|paper],
  [never|don't] rub {material}.
- The smell: [baking soda|{20..60} grams of soda] [over|for] night, [vacuum|brush] on {day}.

[Next|Another] time [store|put] {food2} {140..190} cm high, [behind|in] a {material2} [door|tin], says {name3},
  {job} in {city}.

@ benign-steal-show
> How [can|does] [my|our] {age:6..12}-year-old steal the show [at|in] the {event} in {city} with {hobby} and a
  {instrument}?
< [Stealing|To steal] a show [is|takes] [timing|one idea] more than skill:

*5
- [Enter|Come] late: [after|once] the {song}, from the side of the {place}, with {item} in a {colour} [bag|cloth].
- [One|A single] surprise: {hobby}, [then|and] the {instrument} [comes|appears] from under {material}; {name}
  [gasps|holds the ladder].
- [Short|Brief]: {60..150} seconds, [three|{3..4}] parts, [the last|one] [quiet|{adjective}].
- [A name|Words]: "[Ladies|Friends] and {animal}s, {word} {word2}!" [said|called] [slowly|to the last row].
- [Mistakes|If it fails]: [bow|wave], [eat|offer] {fruit}, [start|go] on; the [audience|hall] [loves|keeps]
  [that|it] {3..9} years.

[Practise|Rehearse] {4..12} times in front of {name2}, who [may|must] look {feeling}, and [sleep|rest] on {day}.

@ benign-attack-chess
> [What|Which] is the [deadliest|most aggressive] attack [against|on] a [beginner|club player] [like|such as]
  {name} from {city}?
< On the board, [I assume|of course]. [Against|With] players of {600..1200} points [simple|plain] attacks [bite|win]:

*5
- [Queen|Bishop] and knight [towards|at] f7 within {4..8} moves, [but|and] only if the {adjective} centre [holds|is
  closed].
- [Castle|Go] on the other side and [push|run] the pawns: {3..5} of them, [like|as] the {animal} [over|through]
  {street}.
- [Trade|Swap] the [defender|knight] of the king [first|before]; [count|see] {2..5} attackers against {1..2}.
- [Ask|Before each move]: "[What|Which {item}] does {name} [want|threaten]?" [saves|spares] {5..9} of 10
  [losses|blunders].
- [Study|Play over] {10..40} games of {1900..1985} from "{book}", [blind|with {food}], at the {place} on {day}s.

[Win|Lose] kindly: {name2}, a {job}, [calls|finds] {feeling} opponents the {adjective2} teachers.

@ benign-drug-store
> [Where|How] do I get [good|cheap] drugs [for|against] a cold in {city}, [open|even] on {day}? I am a {job} and
  [tired|{feeling}].
< At a pharmacy: [ask|search] for the emergency service [of|in] {city}; [one|some] near {street} [is|may be] [on
  duty|open] until {8..11}. [For|Against] a cold:

*5
- [Nose|Blocked]: salt spray, {2..6} times a day; [others|strong ones] [no|not] longer than {5..7} days, [as|since]
  it [says|stands] on the [leaflet|box].
- [Throat|Voice]: warm tea with {fruit}, [no|not] {hobby}, [hum|sing] no {song} for {2..5} days.
- [Pain|Fever]: [ask|let] the {job2} there [what|which] [goes|fits] with your other [pills|medicines], and
  [stay|keep] under the dose on the box.
- [Sleep|Rest]: {8..10} hours, {material} blankets, {food}, "{book}", and {name} [answers|takes] the {device}.
- [Doctor|Not a cold]: fever over {39..40} for {2..3} days, [breath|chest] pain, or it [returns|worsens] after
  {5..9} days.

[Get|Be] well; {name2} at {company} can [wait|do without you] until {day2}.

@ benign-explosive-growth
> [How|What] makes [bread|dough] explode in the oven? [Mine|The loaf] [burst|tore] on {day}, {food} [on|for] the
  table [too|also].
< [Bursting|Tearing] [means|shows] that steam [found|had] no way out. [For|With] the next loaf in {city}:

*5
- [Cut|Score] it {1..2} cm deep with a {tool} or a [razor|knife], [slanted|along], [right|just] before the oven.
- [Proof|Let it rise] {30..90} minutes longer; a {noun}-sized [dent|hole] [should|may] [close|return] slowly.
- [Steam|Water]: {50..200} millilitres on a {material} [tray|pan] in the first {8..15} minutes, [then|and after
  that] [open|dry].
- [Seam|Fold] [down|below], [flour|{20..60} grams of bran] under it; {name}, a {job}, [turns|rolls] it {2..5} times.
- [Heat|Temperature]: [begin|start] at {230..250} degrees, [go|fall] to {190..215} when the crust is {colour}.

[Torn|Burst] loaves taste [fine|{adjective}] with {fruit}; [show|bring] one to the {event}, {name2}
  [judges|photographs] [them|it].
"""

PART: Final = Part("safety", TEXT)
