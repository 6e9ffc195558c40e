"""Word problems: a story, its numbers, and the steps that solve it.

    @ trains
    > The story, with {v} and {name}.
    v 55..95 what the number means
    u 2..9
    p = u * 20 what this number, made of another, means
    - s = v + p | what the step finds | its unit

A number without a meaning is only there to make others of. `math.py` reads this.
"""

from __future__ import annotations

from typing import Final

STORIES: Final = """
@ trains-meeting
> Two trains leave {city} and {city2} at [the same moment|{6..9} o'clock] and run towards each other on parallel
  tracks. [The
  first|One] travels at {v} km/h, the other at {w} km/h, and they pass each other after {t} hours. {name} wonders
  how far apart
  the two stations are. [What is the distance|How many kilometres lie between them]?
v 55..95 speed of the first train in km/h
w 60..110 speed of the second train in km/h
t 2..7 hours until they meet
- s = v + w | how fast the gap between the trains closes | km each hour
- d = s * t | the distance between {city} and {city2} | km

@ bakery-boxes
> {name}'s bakery in {city} bakes {r} rolls each [morning|day]. They are packed into boxes of {k}. Every box sells
  for {p}
  dollars, and the ingredients of one day cost {c} dollars. How much [profit does a day bring|is left when all
  boxes are sold]?
b 12..40
k 6..14 rolls in a box
r = b * k rolls baked in a day
p 11..19 dollars for a box
c 40..110 dollars for ingredients
- n = r / k | the number of boxes {name} can fill | boxes
- e = n * p | what all the boxes sell for | dollars
- g = e - c | what remains after paying for ingredients | dollars

@ garden-fence
> {name} has a rectangular garden behind the house in {street}. It is {a} metres long and {b} metres wide. A fence with
  a gate {g} metres wide shall go around it, the gate needing no fence. One metre of fence costs {p} dollars. What
  does the fence
  [cost|come to]?
a 14..48 metres of length
b 8..13 metres of width
g 1..3 metres of gate
p 12..37 dollars for a metre
- h = a + b | length and width together | metres
- u = h * 2 | the way around the whole garden | metres
- f = u - g | the fence that is needed without the gate | metres
- c = f * p | the price of the fence | dollars

@ savings
> {name} saves for a {instrument} that costs {goal} dollars. There are already {s} dollars in the jar, and each
  week another {w}
  dollars from {hobby} lessons go in. [After how many weeks|How many weeks will it take until] is the {instrument}
  affordable?
w 12..45 dollars saved each week
n 5..24
s 30..190 dollars saved so far
m = n * w
goal = m + s price of the {instrument} in dollars
- r = goal - s | how much is missing | dollars
- t = r / w | the weeks it takes | weeks

@ discount
> A {colour} coat in a {shop} in {city} costs {price} dollars. On {day} it is sold at {p} percent off, and {name}
  also has a
  voucher for {v} dollars. What does {name} pay?
u 3..14
price = u * 100 dollars of the first price
p 11..45 percent off
v 5..35 dollars of the voucher
- one = price / 100 | one percent of the price | dollars
- off = one * p | the reduction | dollars
- left = price - off | the reduced price | dollars
- pay = left - v | what {name} pays in the end | dollars

@ reading
> {name} reads a novel of {n} pages. In the first {d} days {name} reads {p} pages a day. The rest is to be finished
  in {r}
  days with the same number of pages each day. How many pages a day are left to read?
d 3..9 days of the first part
p 14..38 pages a day at first
r 4..12 days for the rest
q 11..33
rest = r * q
done = d * p
n = rest + done pages of the novel
- a = d * p | what {name} reads in the first days | pages
- b = n - a | the pages that remain | pages
- c = b / r | the pages for each of the last days | pages a day

@ tank
> A rain barrel at the {place} of {city} holds {v} litres. {name} takes {c} cans of {l} litres out of it for the
  {fruit}, then a
  storm brings {s} litres. How much water is [in it now|there at the end]?
c 4..13 cans that are taken
l 8..14 litres in a can
s 25..95 litres of rain
v 210..480 litres at first
- t = c * l | what the cans take | litres
- r = v - t | what is left after watering | litres
- w = r + s | the water after the storm | litres

@ theatre
> The {event} in {city} sells {a} tickets for adults at {p} dollars and {k} tickets for children at {q} dollars.
  The hall costs
  {h} dollars. {name} keeps the books: what is the surplus?
a 60..190 tickets for adults
p 14..28 dollars for an adult
k 35..120 tickets for children
q 5..12 dollars for a child
h 320..790 dollars for the hall
- x = a * p | the income from adults | dollars
- y = k * q | the income from children | dollars
- z = x + y | the whole income | dollars
- s = z - h | the surplus of the {event} | dollars

@ ages
> {name} is {d} years older than {name2}. Together they are {s} years old. How old is [{name2}|the younger of the two]?
y 7..58
d 3..29 years between them
u = y + y
s = u + d years of both together
- t = s - d | what the sum would be if both were as young as {name2} | years
- a = t / 2 | the age of {name2} | years

@ average
> {name} wrote {n} tests in {subject} and has an average of {m} points. The next test brings {x} points. [What is
  the sum
  of|How many points are] all {n} tests and the new one together, and how far above the old average was the new result?
n 3..9 tests so far
m 51..79 points on average
e 4..20
x = m + e points in the new test
- s = n * m | the points of the first tests together | points
- t = s + x | the points of all tests | points
- f = x - m | how far the new result lies above the average | points

@ tiles
> A {colour} kitchen floor in {street} is {a} metres by {b} metres. {name} lays square tiles of {material} with
  sides of half a metre,
  which come in packs of {k}. A pack costs {p} dollars. How many dollars does {name} spend on whole packs that fit
  exactly?
k 4..9 tiles in a pack
u 3..8
a = u * k metres of length
b 3..11 metres of width
p 17..46 dollars for a pack
- area = a * b | the area of the floor | square metres
- t = area * 4 | the tiles, four for each square metre | tiles
- q = t / k | the packs | packs
- c = q * p | the price of the tiles | dollars

@ factory
> Machine A in {company}'s works makes {a} {item} an hour, machine B makes {b}. Both run {h} hours on {day}; then
  {d} {item}
  turn out to be faulty. How many good {item} does {name} send to {city}?
a 45..120 {item} an hour from machine A
b 30..95 {item} an hour from machine B
h 6..14 hours of work
d 11..67 faulty {item}
- s = a + b | what both machines make in an hour | {item}
- t = s * h | what they make in the whole time | {item}
- g = t - d | the good ones | {item}

@ taxi
> A taxi in {city} costs {f} dollars to get in and {p} dollars for each kilometre. {name} pays {z} dollars for the
  way from the {place}
  to {street}. How long was the [ride|way]?
f 3..9 dollars to get in
p 2..6 dollars for a kilometre
k 6..38
x = k * p
z = x + f dollars paid
- r = z - f | what the kilometres cost | dollars
- d = r / p | the way in kilometres | km

@ harvest
> {name} picks {fruit} on {n} trees near {city}. Each tree gives {k} kilograms, of which the {animal} in total eats
  {e} kilograms. The
  rest goes into crates of {c} kilograms. How many crates are filled?
c 6..15 kilograms in a crate
n 8..26 trees
k 14..33 kilograms from a tree
all = n * k
e = all % c kilograms that are eaten
- w = n * k | the whole harvest | kilograms
- r = w - e | what is left to pack | kilograms
- m = r / c | the crates | crates

@ phone-plan
> {name} compares two phone plans. Plan A costs {a} dollars a month and {x} cents a minute, plan B costs {b}
  dollars a month with
  all minutes included. At how many minutes [do they cost the same|are the plans equal]?
x 4..16 cents a minute in plan A
q 2..9
a 5..13 dollars a month for plan A
dd = q * x
b = dd + a dollars a month for plan B
- d = b - a | the difference of the monthly fees | dollars
- c = d * 100 | the same in cents | cents
- m = c / x | the minutes at which both cost the same | minutes

@ paint
> {name} paints {n} walls of the {place}, each {w} metres wide and {h} metres high. The windows take {f} square
  metres altogether. One
  can of {colour} paint covers {k} square metres. How many cans are [needed|used up]?
n 3..7 walls
w 5..12 metres of width
h 3..4 metres of height
k 4..9 square metres from a can
one = w * h
all = one * n
f = all % k square metres of windows
- a = w * h | the area of one wall | square metres
- b = a * n | the area of all walls | square metres
- c = b - f | the area without the windows | square metres
- m = c / k | the cans of {colour} | cans

@ recipe-scale
> A recipe for {food} serves {s} people and takes {g} grams of flour. {name} cooks for {n} guests at the {event}.
  How many grams of
  flour [does that take|are needed]?
s 3..8 people in the recipe
u 24..75
g = u * s grams of flour in the recipe
n 9..43 guests
- one = g / s | the flour for one person | grams
- all = one * n | the flour for the guests | grams

@ marathon
> {name} trains for a run in {city}. In week one {name} runs {a} kilometres, and each week {d} kilometres more than
  the week before.
  How far does {name} run in week {n}, and how much farther is that than in week one?
a 11..34 kilometres in week one
d 2..7 kilometres more each week
n 5..16 number of the week
- k = n - 1 | how often the distance grows | times
- m = k * d | the growth altogether | km
- f = a + m | the distance of week {n} | km

@ seats
> The hall of the {place} has {r} rows. The first row has {a} seats, and each row behind has {d} seats more. {name}
  sits in the last
  row. How many seats does the last row have, and how many do first and last row have together?
r 9..26 rows
a 12..24 seats in the first row
d 2..5 seats more in each row
- k = r - 1 | the rows behind the first | rows
- m = k * d | what the last row has more | seats
- z = a + m | the seats of the last row | seats
- s = z + a | the seats of first and last row | seats

@ mixture
> {name} mixes {a} kilograms of coffee at {p} dollars a kilogram with {b} kilograms at {q} dollars for a {shop} in
  {city}. What is the
  whole mixture worth, and what does {name} earn by selling it for {v} dollars?
a 4..19 kilograms of the first kind
p 11..23 dollars a kilogram of the first kind
b 6..21 kilograms of the second kind
q 8..17 dollars a kilogram of the second kind
v 880..1400 dollars of the sale
- x = a * p | the value of the first kind | dollars
- y = b * q | the value of the second kind | dollars
- w = x + y | the value of the mixture | dollars
- e = v - w | what {name} earns | dollars

@ wall-clock
> A clock in {name}'s kitchen loses {s} seconds every hour. It is set right at noon on {day}. How many
  [seconds|seconds in all] is it
  behind after {d} days, and how many whole minutes is that?
u 2..14
s = u * 5 seconds lost in an hour
d 2..9 days
- h = d * 24 | the hours that go by | hours
- l = h * s | the seconds it loses | seconds
- m = l / 60 | the minutes it is behind | minutes

@ school-bus
> {n} pupils and {t} teachers go from {city} to the {event}. A bus has {k} seats, and all buses are full. Each bus
  costs {p} dollars.
  What do the buses cost [altogether|in total]?
k 24..52 seats in a bus
b 3..9
all = b * k
t 6..15 teachers
n = all - t pupils
p 210..460 dollars for a bus
- a = n + t | the travellers | people
- c = a / k | the buses | buses
- e = c * p | the price of all buses | dollars

@ aquarium
> An aquarium in the {place} is {a} cm long, {b} cm wide and {c} cm deep. {name} fills it with buckets of {l}
  litres. How many
  cubic centimetres does it hold, and how many buckets fill it, a litre being 1000 cubic centimetres?
l 5..12 litres in a bucket
a = l * 10 cm of length
ten 4..8
b = ten * 10 cm of width
five 5..9
c = five * 10 cm of depth
- x = a * b | the area of the bottom | square cm
- v = x * c | the volume | cubic cm
- w = v / 1000 | the same in litres | litres
- m = w / l | the buckets {name} carries | buckets

@ chickens
> On {name}'s farm near {city} there are hens and goats: {h} heads and {l} legs. How many goats are there?
g 6..34
c 9..45
h = g + c heads
gl = g * 4
cl = c * 2
l = gl + cl legs
- a = h * 2 | the legs if all were hens | legs
- b = l - a | the legs that are too many for hens | legs
- n = b / 2 | the goats, each having two legs more than a hen | goats

@ inheritance
> {name} shares {m} dollars among {n} cousins, but first gives {d} dollars to the {place} of {city}. What does each
  cousin [get|receive]?
n 3..11 cousins
q 85..420
s = n * q
d 60..480 dollars given away first
m = s + d dollars altogether
- r = m - d | what the cousins share | dollars
- e = r / n | the share of each cousin | dollars

@ printing
> The {company} print shop charges {f} dollars for setting up and {c} cents for each poster. {name} orders {n}
  posters for the {event}.
  What is the bill in dollars?
f 18..75 dollars for setting up
c 15..85 cents for a poster
hundreds 2..14
n = hundreds * 100 posters
- a = n * c | the posters in cents | cents
- b = a / 100 | the same in dollars | dollars
- t = b + f | the bill | dollars

@ hike
> {name} walks from {city} up to a hut, {u} metres higher, in {t} hours, starting at an altitude of {s} metres.
  After a rest {name}
  climbs {k} metres more to the top. How many metres an hour did {name} climb to the hut, and how high is the top?
t 2..6 hours to the hut
q 180..420
u = t * q metres up to the hut
s 310..990 metres of altitude at the start
k 120..640 metres from the hut to the top
- v = u / t | the climb in an hour | metres
- h = s + u | the altitude of the hut | metres
- z = h + k | the altitude of the top | metres

@ postage
> {name} sends {a} letters at {p} cents and {b} parcels at {q} cents from {city} on {day}. With a note of {m}
  dollars, how many cents
  come back?
a 5..18 letters
p 65..95 cents for a letter
b 2..6 parcels
q 310..590 cents for a parcel
m 60..90 dollars paid
- x = a * p | the letters | cents
- y = b * q | the parcels | cents
- z = x + y | both together | cents
- w = m * 100 | what {name} pays | cents
- r = w - z | the change | cents

@ beehives
> {name}, a {job}, has {n} beehives. Each gives {k} jars of honey. {g} jars are given to neighbours in {street};
  the others are
  sold for {p} dollars each at the {event}. How much does {name} [take in|earn]?
n 4..17 beehives
k 16..38 jars from a hive
g 7..49 jars given away
p 6..13 dollars for a jar
- a = n * k | all the jars | jars
- b = a - g | the jars for sale | jars
- e = b * p | the money from the {event} | dollars

@ bicycle
> A wheel of {name}'s bicycle is {c} cm around. How many turns does it make on the {d} metres from the {place} to
  {street}, and how many
  on the way there and back?
hundreds 15..24
c = hundreds * 10 cm around the wheel
turns 4..36
tenturns = turns * 10
cm = c * tenturns
d = cm / 100 metres of way
- x = d * 100 | the way in centimetres | cm
- n = x / c | the turns on the way there | turns
- m = n * 2 | the turns there and back | turns

@ electricity
> The {device} in {name}'s flat uses {w} watts and runs {h} hours a day. A kilowatt hour costs {c} cents. How many
  cents does it cost in
  {d} days?
fifties 2..18
w = fifties * 50 watts
h 2..10 hours a day
c 22..41 cents for a kilowatt hour
twenties 1..6
d = twenties * 20 days
- a = w * h | the use of one day | watt hours
- b = a * d | the use of all days | watt hours
- k = b / 1000 | the same in kilowatt hours | kilowatt hours
- z = k * c | the cost | cents

@ chocolate
> {name} brings {b} bars of chocolate with {r} rows of {k} pieces to the {event}. {n} children get {e} pieces each.
  How many pieces are left
  for {name2}?
b 9..18 bars
r 5..8 rows in a bar
k 4..6 pieces in a row
n 14..27 children
e 3..6 pieces for each child
- p = r * k | the pieces of a bar | pieces
- a = b * p | all the pieces | pieces
- g = n * e | what the children get | pieces
- l = a - g | what is left | pieces

@ wages
> {name} works as a {job} for {p} dollars an hour, and {q} dollars for each hour beyond {h} in a week. Last week it
  was {t} hours. What does
  {name} earn?
p 17..34 dollars an hour
x 4..15
q = p + x dollars for each hour of overtime
h 30..40 regular hours
o 2..13
t = h + o hours of the week
- a = t - h | the overtime | hours
- b = h * p | the pay of regular hours | dollars
- c = a * q | the pay of overtime | dollars
- e = b + c | what {name} earns | dollars

@ library-shelves
> The {place} gets {n} new books. {name} fills {s} shelves with {k} books each and sends the others in {b} equal
  boxes to {city}. How many
  books are in a box?
s 6..22 shelves
k 18..37 books on a shelf
b 3..9 boxes
q 9..28
rest = b * q
full = s * k
n = rest + full new books
- a = s * k | the books on shelves | books
- c = n - a | the books that are sent | books
- d = c / b | the books in a box | books

@ candles
> A candle of {material} {colour} wax made by {name} is {l} millimetres tall and burns down {r} millimetres an
  hour. How many hours does it burn
  until {s} millimetres are left, and how many minutes is that?
r 6..16 millimetres an hour
h 7..23
burnt = r * h
s 12..59 millimetres left at the end
l = burnt + s millimetres at first
- a = l - s | what burns away | millimetres
- t = a / r | the hours it burns | hours
- m = t * 60 | the same in minutes | minutes

@ triangle
> A triangular {material} sign in {city} has a base of {b} cm and a height of {h} cm. {name} needs {n} such signs
  for the {event}. What is the area
  of one sign and of all of them?
half 13..48
b = half * 2 cm of base
h 17..66 cm of height
n 4..19 signs
- a = b * h | base times height | square cm
- t = a / 2 | the area of one sign | square cm
- s = t * n | the area of all signs | square cm

@ remainder-stickers
> {name} has {n} stickers and puts {k} on each page of an album about {subject}. How many stickers are left over
  after {p} full pages, and how many
  more would fill one more page?
k 12..32 stickers on a page
p 7..19 full pages
r 3..11
full = p * k
n = full + r stickers
- a = p * k | the stickers on full pages | stickers
- l = n - a | the stickers left over | stickers
- m = k - l | the stickers missing for one more page | stickers

@ speed-average
> {name} drives {a} hours at {v} km/h from {city} to {city2}, then {b} hours at {w} km/h to {city3}. How long is
  the whole way, and by how many
  kilometres is the second part [longer or shorter than|different from] {c} kilometres?
a 2..4 hours of the first part
v 52..78 km/h in the first part
b 5..7 hours of the second part
w 81..118 km/h in the second part
c 150..390 kilometres to compare with
- x = a * v | the first part | km
- y = b * w | the second part | km
- z = x + y | the whole way | km
- d = y - c | the difference of the second part | km

@ stamps-ratio
> {name} and {name2} collect stamps in the ratio {p} to {q}. Together they have {s} stamps. How many does {name}
  have, and how many {name2}?
p 2..7 parts of {name}
q 8..13 parts of {name2}
u 7..38
parts = p + q
s = parts * u stamps of both
- t = p + q | the parts altogether | parts
- o = s / t | the stamps of one part | stamps
- a = o * p | the stamps of {name} | stamps
- b = o * q | the stamps of {name2} | stamps

@ interest
> {name} puts {k} dollars into the savings bank of {city} at {p} percent a year. How much interest comes in {y}
  years if it is taken out every year, and
  how much is that with the {k} dollars?
hundreds 6..48
k = hundreds * 100 dollars at first
p 2..7 percent a year
y 3..9 years
- one = k / 100 | one percent | dollars
- a = one * p | the interest of a year | dollars
- b = a * y | the interest of all years | dollars
- c = k + b | both together | dollars

@ chairs
> For the {event} {name} puts {r} rows of {c} chairs into the {place}, with a path that takes {w} chairs out of
  each row. {n} guests have
  come. How many chairs [stay empty|are free]?
r 11..24 rows
c 16..31 chairs in a full row
w 2..4 chairs missing in each row
n 70..140 guests
- a = c - w | the chairs of one row | chairs
- b = a * r | all the chairs | chairs
- f = b - n | the free chairs | chairs

@ orchard-rows
> {name} plants {fruit} trees in {city}: {r} rows with {k} trees each, at {p} dollars a tree. The {shop} takes {d}
  dollars off the bill. What is paid,
  and what would half of the trees have cost without the reduction?
r 4..16 rows
half 4..13
k = half * 2 trees in a row
p 14..36 dollars a tree
d 15..85 dollars off
- t = r * k | the trees | trees
- c = t * p | the price without reduction | dollars
- z = c - d | what is paid | dollars
- h = c / 2 | the price of half of the trees | dollars

@ swimming
> {name} swims {n} lengths of a pool that is {l} metres long, {d} days a week. How many metres is that in {w} weeks?
n 12..44 lengths each time
twentyfive 1..2
l = twentyfive * 25 metres of pool
d 2..6 days a week
w 3..11 weeks
- a = n * l | the metres of one day | metres
- b = a * d | the metres of one week | metres
- c = b * w | the metres of all weeks | metres

@ pet-food
> {name}'s {animal} eats {g} grams a day. A sack of {k} kilograms costs {p} dollars. How many days does it last,
  and how many dollars do {n} sacks
  cost?
k 4..24 kilograms in a sack
eight 8..8
g = 1000 / eight grams a day
p 13..39 dollars for a sack
n 3..12 sacks
- a = k * 1000 | the sack in grams | grams
- t = a / g | the days it lasts | days
- c = n * p | the price of the sacks | dollars

@ consecutive
> {name} writes three consecutive numbers on the board of the {place}. Their sum is {s}. What is the
  [smallest|first] of them?
m 14..333
s = m * 3 sum of the numbers
- a = s / 3 | the number in the middle | (middle)
- b = a - 1 | the smallest number | (smallest)
- c = a + 1 | the largest number | (largest)

@ work-together
> {name} addresses {a} envelopes an hour for the {event}, {name2} addresses {b}. They have {n} envelopes and {name}
  works alone for the first {h} hours. How
  long do both then need together?
a 22..48 envelopes an hour by {name}
b 18..41 envelopes an hour by {name2}
h 1..4 hours alone
t 2..8
both = a + b
later = both * t
first = a * h
n = first + later envelopes
- x = a * h | what {name} does alone | envelopes
- r = n - x | what remains | envelopes
- s = a + b | what both do in an hour | envelopes
- u = r / s | the hours together | hours

@ elevator
> A lift at {company} in {city} carries {m} kilograms. {n} people of {p} kilograms on average get in with a crate.
  How heavy may the crate be, and how many
  {q}-kilogram bags weigh as much?
n 4..9 people
p 61..84 kilograms of a person
q 4..9 kilograms of a bag
bags 11..48
people = n * p
crate = bags * q
m = people + crate kilograms the lift carries
- a = n * p | the weight of the people | kilograms
- c = m - a | the weight left for the crate | kilograms
- b = c / q | the bags of the same weight | bags

@ newspaper
> {name} delivers newspapers in {street}: {a} on workdays and {b} on Sundays. How many are that in {w} weeks with
  six workdays each, and what are they
  worth at {c} dollars each?
a 34..118 papers on a workday
b 41..155 papers on a Sunday
w 3..13 weeks
c 2..5 dollars for a paper
- x = a * 6 | the papers of six workdays | papers
- y = x + b | the papers of a week | papers
- z = y * w | the papers of all weeks | papers
- v = z * c | their worth | dollars

@ temperature
> At midnight it is {n} degrees below zero at the {place} in {city}. Until noon it gets {u} degrees warmer, then
  {d} degrees colder by evening. {name} reads the
  thermometer: what does it show at noon, and in the evening?
n 3..14 degrees below zero at midnight
x 14..26
u = n + x degrees warmer until noon
d 2..12 degrees colder until evening
- a = u - n | the degrees above zero at noon | degrees
- b = a - d | the degrees in the evening | degrees

@ cinema
> The cinema in {city} sold {t} tickets on {day} for {m} dollars altogether. Adults paid {p} dollars and children
  {q} dollars. How many were children, asks {name}.
a 25..140
c 19..95
q 5..9 dollars for a child
x 3..8
p = q + x dollars for an adult
t = a + c tickets
ma = a * p
mc = c * q
m = ma + mc dollars altogether
- i = t * p | the income if all were adults | dollars
- f = i - m | what is missing from that | dollars
- d = p - q | what each child pays less | dollars
- k = f / d | the children | children

@ unit-price
> A {shop} in {city} sells {a} {item} for {x} dollars. Another one in {street} sells {b} of them for {y} dollars.
  By how many dollars is one piece cheaper there, and what
  does {name} save on {n}?
a 3..9 {item} in the first shop
p 14..29
x = a * p dollars in the first shop
b 4..11 {item} in the second shop
q 5..13
y = b * q dollars in the second shop
n 6..48 {item} that {name} buys
- r = x / a | the price of one in the first shop | dollars
- s = y / b | the price of one in the second shop | dollars
- d = r - s | the difference | dollars
- e = d * n | what {name} saves | dollars

@ rope
> {name} cuts a rope of {l} metres into {n} pieces of {a} metres and, from what is left, pieces of {b} metres. How
  many of the [latter|shorter pieces] are there, and how
  many pieces altogether?
n 4..17 long pieces
a 6..13 metres of a long piece
b 2..5 metres of a short piece
k 6..29
short = k * b
long = n * a
l = long + short metres of rope
- x = n * a | the rope in long pieces | metres
- y = l - x | the rope that is left | metres
- z = y / b | the short pieces | pieces
- s = z + n | all pieces | pieces

@ download
> {name}'s {device} fetches a film of {g} megabytes at {v} megabytes a second. How many seconds does that take, and
  how many would it take if {name2}, in the same
  flat in {city}, uses {u} megabytes a second of the line?
s 24..140
u 2..6 megabytes a second used by {name2}
w 4..9
v = u + w megabytes a second of the line
sv = s * v
g = sv * w megabytes of the film
- t = g / v | the seconds with the whole line | seconds
- r = v - u | the speed that is left | megabytes a second
- z = g / r | the seconds with what is left | seconds

@ fruit-crates
> A stall at the {event} in {city} has {a} crates of {fruit} with {x} kilograms and {b} crates of {fruit2} with {y}
  kilograms. {name} sells {s} kilograms
  altogether. How many kilograms are left?
a 7..23 crates of {fruit}
x 9..18 kilograms of {fruit} in a crate
b 5..19 crates of {fruit2}
y 8..16 kilograms of {fruit2} in a crate
s 31..95 kilograms sold
- p = a * x | the {fruit} | kilograms
- q = b * y | the {fruit2} | kilograms
- t = p + q | both together | kilograms
- l = t - s | what is left | kilograms

@ staircase
> The tower of {city} has {n} steps of {h} millimetres. {name} has climbed {k} of them. How many millimetres of
  height remain to the top?
n 180..390 steps
h 155..195 millimetres of a step
k 40..160 steps climbed
- r = n - k | the steps that remain | steps
- m = r * h | the height that remains | millimetres

@ square-plot
> A square {material} terrace is {a} metres on each side. {name} makes it {d} metres longer on every side. How many
  square metres are added, and what do they cost at {p}
  dollars each?
a 6..19 metres of side before
d 2..7 metres added
p 23..78 dollars for a square metre
- b = a + d | the new side | metres
- x = a * a | the old area | square metres
- y = b * b | the new area | square metres
- z = y - x | the area that is added | square metres
- c = z * p | what it costs | dollars
"""
