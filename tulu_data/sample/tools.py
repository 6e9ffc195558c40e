"""Tools: a question, a call in the form of the OpenAI API, what the tool answers, and what is made of it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final, NamedTuple

from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Parts, articled, joined, parse, ranges, write

# The lines: what the tool does; its arguments, `name: kind = value`; question; answer of the tool; answer.
TEXT: Final = """
@ get_weather
The weather of a place on a day.
city: string = {city}; day: string = {day}; hours: integer = {hours:2..12}
[Do I|Should {name}] need {item} in {city} on {day}, for a {event} of {hours} hours [at|near] the {place}?
{"city": "{city}", "day": "{day}", "low": {low:1..9}, "high": {high:10..31}, "rain_mm": {rain:0..19}, "wind_kmh":
  {wind:4..60}}
[On {day}|For {day}] {city} [expects|will have] {low} to {high} degrees, {rain} mm of rain and wind of {wind} km/h.
  [For|At] the {event} I [would|should] [take|pack] {colour} {item} and something of {material}; {name2} [may|can]
  [wait|warm up] in the {place}, with {food}.

@ search_flights
Flights between two cities.
origin: string = {city}; destination: string = {city2}; date: string = {year:2026..2029}-0{m:1..9}-{d:10..28};
  passengers: integer = {n:1..6}
[Find|Look for] a flight [from|out of] {city} to {city2} on {year}-0{m}-{d} for {n} [people|of us], {name}
  [carries|brings] a {instrument}.
{"flights": [{"id": "{W}{f:100..999}", "departs": "0{h:5..9}:{mi:10..55}", "price": {p:49..180}}, {"id":
  "{W2}{g:100..999}", "departs": "1{k:3..8}:{mj:10..55}", "price": {q:181..420}}]}
There are two: {W}{f} at 0{h}:{mi} for {p} and {W2}{g} at 1{k}:{mj} for {q} dollars each. [With|Because of] the
  {instrument}, [ask|call] the airline [before|by] {day}; [for|if] {n} with {item} the [early|first] one leaves
  [more|enough] for {food} in {street}. [Shall|Should] I [hold|note] {W}{f} for {name}?

@ convert_currency
Converts an amount of money.
amount: number = {amount:20..980}; source: string = {cur}; target: string = {cur2}
[What|How much] is {amount} {cur} in {cur2} today? {Name} [pays|wants to pay] for {item} from {city}.
{"amount": {amount}, "source": "{cur}", "target": "{cur2}", "result": {r:1000..9000}.{s:10..99}, "time":
  "0{h:1..9}:{mi:10..59}"}
At 0{h}:{mi} {amount} {cur} are {r}.{s} {cur2}. [Banks|Cards] add {1..4} percent [or so|mostly]; for the {colour}
  {item} {name} should [plan|keep] a [little|reserve] more, and [ask|let] the {shop} in {city} [quote|print] both
  [sums|prices] before {day}.

@ find_recipe
Recipes with what is at hand.
ingredients: string = {fruit}; dish: string = {food}; minutes: integer = {t:15..90}
I have {fruit} and {t} minutes. [Can|Could] I [make|cook] {food} for {name} [and|plus] {2..7} [guests|others]?
{"dish": "{food}", "minutes": {u:10..80}, "needs": ["{fruit}", "{fruit2}", "salt"], "rating": {a:3..4}.{b:1..9},
  "source": "{company}"}
{Company} [lists|has] {food} with {fruit}, {fruit2} and salt: {u} minutes, {a}.{b} of 5. [You|So you] [miss|lack]
  perhaps the {fruit2}; the {shop} in {street} [has|sells] them until {6..9}. {Name} [can|might] [set|lay] the
  {material} table in {colour} meanwhile.

@ book_table
Reserves a table.
place: string = {company}; day: string = {day}; people: integer = {n:2..14}; time: string = 1{h:7..9}:{mi:10..45}
[Book|Reserve] [a table|us] at {company} in {city} on {day}, 1{h}:{mi}, {n} [people|of us], [it is|for] {name}'s
  birthday.
{"status": "{state}", "place": "{company}", "table": {t:3..48}, "code": "{W}-{c:1000..9999}", "until":
  "2{k:1..3}:{mj:10..50}"}
[Done|It is booked]: table {t} at {company}, {day} 1{h}:{mi} for {n}, code {W}-{c}, [yours|free] until 2{k}:{mj}.
  [For|As a surprise for] {name} they [could|might] [bring|prepare] {food} with a {colour} candle; [tell|write]
  them by {day2}. The {place} is {3..20} minutes [from there|away].

@ track_parcel
Where a parcel is.
number: string = {W}{a:10000..99999}{W2}
[Where|In which town] is [my|{name}'s] parcel {W}{a}{W2}? It [has|holds] {item} for the {event}.
{"number": "{W}{a}{W2}", "state": "in transit", "last_seen": "{city}", "day": "{day}", "stops_left": {s:1..7},
  "weight_kg": {k:1..29}}
{W}{a}{W2} ({k} kg) was [seen|scanned] in {city} on {day}, with {s} [stop|stops] left. [For|If] the {event} is on
  {day2}, [ask|let] {name2} [wait|be] at the {place}, or [send|move] it to the {shop} in {street}. {Item} of
  {material} [travel|ship] [well|safely] in {month}.

@ library_search
Books in the catalogue.
title: string = {book}; author: string = {name} {Word}
[Does|Has] the library of {city} [have|got] "{book}" by {name} {Word}? {Name2} [needs|wants] it for [a talk|a
  paper] on {subject}.
{"title": "{book}", "copies": {c:2..9}, "free": {f:0..2}, "shelf": "{W}{s:10..99}", "due": "{d:2..28} {month}",
  "waiting": {w:0..6}}
"{book}" has {c} copies, {f} free, on shelf {W}{s}; the next [comes|is due] back on {d} {month}, {w}
  [people|readers] wait. [For|If] {name2}'s {subject}, "{book2}" [may|could] [help|do] too. [Shall|Should] I
  [reserve|put] one [at|to] the {place} for {day}?

@ create_event
Puts an event into the calendar.
title: string = {event}; day: string = {day}; start: string = 1{h:0..7}:{mi:10..50}; minutes: integer =
  {t:20..180}; place: string = {place}
[Put|Enter] the {event} with {name} and {name2} into my calendar: {day} 1{h}:{mi}, {t} minutes, {place} of {city}.
{"id": "{W}{c:1000..9999}", "created": true, "conflicts": ["{hobby} with {name3}"], "reminder_minutes": {r:10..90}}
The {event} is [in|entered] ({W}{c}), {day} 1{h}:{mi} to the {place}, {t} minutes, reminder {r} before. It
  [collides|overlaps] with {hobby} and {name3}: [shall|should] I [move|shift] that to {day2}, or [write|tell]
  {name} that you [come|arrive] [late|{5..25} minutes later] with {food}?

@ energy_report
The use of power of a building.
building: string = {place}; month: string = {month}; year: integer = {y:2019..2029}
[How|What] much power did the {place} in {city} use in {month} {y}, and [why|what] so much, asks {name}?
{"building": "{place}", "kwh": {k:1000..9800}, "before": {b:900..9900}, "top": "{device}", "share_percent":
  {s:11..48}, "peak_hour": {h:6..21}}
In {month} {y} the {place} used {k} kWh, after {b} the month before. The {device} [takes|is] {s} percent, [most|the
  peak] at {h} o'clock. [Ask|Let] {name}, {job}, [check|unplug] it on {day}s; a {material} [cover|timer] for
  {15..90} dollars [may|could] [save|spare] {40..400} kWh in {city}.

@ translate
Translates a sentence.
text: string = {item} for {name}; source: string = English; target: string = {language}
[Say|How do I say] "{item} for {name}" in {language}? [I write|It goes on] a {colour} card to {city}.
{"target": "{language}", "words": {w:3..9}, "text": "[{language}: {item}, {name}]", "confidence": 0.{c:61..97},
  "formal": {state2}}
The tool [gives|returns] "[{language}: {item}, {name}]", {w} words, confidence 0.{c}. [Before|As] the {colour} card
  [goes|is sent] to {city}, [let|ask] {name2}, who [speaks|learns] {language}, [look|read]; for {hobby} among
  friends the [other|less formal] form [may|might] be [kinder|better] on {day}.

@ stock_level
How many pieces are in stock.
item: string = {item}; shop: string = {company}; colour: string = {colour}
[Are|Does {company} have] {n:5..60} {colour} {item} [in stock|left]? {Name} [wants|needs] them [for|at] the {event}
  on {day}.
{"item": "{item}", "colour": "{colour}", "stock": {s:3..90}, "incoming": {i:10..400}, "arrives": "{d:2..28}
  {month}", "price": {p:4..79}.{c:10..99}}
{Company} has {s} {colour} {item} at {p}.{c} dollars; {i} more [come|arrive] on {d} {month}. {Name} wants {n} for
  {day}: [take|buy] what [is there|they have], [and|then] [fill|mix] with {colour2}, or [ask|try] the {shop} in
  {street}, {city}. [Shall|May] I [reserve|set aside] {3..9}?

@ route
The way between two places.
start: string = {street}; end: string = {place}; mode: string = {mode}
[How|What way] do I [get|go] from {street} to the {place} in {city} [by|with] {mode}, [carrying|with] {item}?
{"distance_m": {d:400..9900}, "minutes": {t:5..70}, "climb_m": {c:3..140}, "via": ["{street2}", "{street3}"],
  "closed": "{street4}"}
[By|With] {mode}: {d} m in {t} minutes, via {street2} and {street3}, {c} m up; {street4} is closed. [With|For]
  {item} of {material} I [would|should] [rest|stop] at the {shop} in {street3}. {Name} [says|adds]: [after|from]
  {4..7} o'clock on {day} it is {adjective}.

@ run_sql
Runs a query on the {noun} database.
query: string = SELECT COUNT(*) FROM {noun}_log WHERE {field} > {x:10..900}; limit: integer = {l:10..90}
How many {noun} entries of {company} have a {field} [over|above] {x}? {Name} [asks|needs it] for {day}.
{"rows": [[{r:1000..99999}]], "ms": {t:3..900}, "table": "{noun}_log", "scanned": {s:100000..999999}}
{r} entries of {noun}_log have a {field} over {x} ({t} ms, {s} scanned). [For|Before] {name} [uses|shows] it on
  {day}: [ask|check] whether {month} is [complete|in], and [whether|if] {company}'s {device} [counts|logs] {field2}
  [twice|too]. A [chart|list] by {city} and {city2} [would|might] [help|tell more].

@ exchange_shift
Asks a colleague to swap a shift.
mine: string = {day}; wanted: string = {day2}; colleague: string = {name}
[Ask|Write to] {name} at {company} [whether|if] we [can|could] swap {day} and {day2}; my {animal} [has|needs] [the
  vet|an appointment].
{"colleague": "{name}", "answer": "accepted", "note": "{food}, please", "shift": "1{h:0..9}:00", "approved_by":
  "{name2}", "hours": {t:4..9}}
{Name} [accepted|said yes]: you work {day2} from 1{h}:00, {t} hours, [approved|signed] by {name2}. [The price|In
  return]: {food}. [Good luck|All the best] for the {animal}; the {place} in {city} is [closed|full] on {day}, so
  [park|wait] in {street}, [with|next to] the {colour} {shop}.

@ sensor_reading
The last value of a sensor.
sensor: string = {word}-{a:10..99}; quantity: string = {field}; minutes: integer = {t:5..90}
[What|Which value] does sensor {word}-{a} [show|say] for {field} in the last {t} minutes? The {fruit} in {city}
  [look|are] {adjective}.
{"sensor": "{word}-{a}", "mean": {m:10..99}.{n:1..9}, "max": {x:100..180}, "battery_percent": {b:4..100},
  "missing": {k:0..12}}
{word}-{a}: mean {field} {m}.{n}, at most {x}, {k} values missing, battery {b} percent. [If|When] the {fruit} are
  {adjective} [still|even so], [compare|hold] it [with|against] {word2}-{11..99}; {name}, {job}, [found|had]
  {colour} [dust|leaves] on such a sensor on {day}. [Clean|Wipe] it with {material}.

@ room_booking
Rooms that are free.
building: string = {company}; day: string = {day}; seats: integer = {s:4..60}
[Is|Find] a room at {company} for {s} people [free|open] on {day}? {Name} [teaches|explains] {subject} with a
  {instrument}.
{"rooms": [{"name": "{Word}", "seats": {p:61..90}, "floor": {f:1..9}}, {"name": "{Word2}", "seats": {q:91..190},
  "floor": {g:1..9}}], "until": {u:15..21}}
[Two|There are two]: {Word} ({p} seats, floor {f}) and {Word2} ({q}, floor {g}), until {u} o'clock. [For|With] a
  {instrument} and {subject} I [would|should] [take|choose] {Word}; {s} people [fit|sit] [well|with room].
  [Tell|Ask] {name2} about the {device} and [order|bring] {food} [from|to] {street}.
"""


class Tool(NamedTuple):
    """A tool: its arguments by name and kind, and the texts around a call."""

    name: str
    does: Parts
    arguments: tuple[tuple[str, str, Parts], ...]
    question: Parts
    result: Parts
    answer: Parts


@cache
def tools() -> tuple[Tool, ...]:
    """All tools."""
    return tuple(map(_tool, re.split(r"^@ ", TEXT, flags=re.MULTILINE)[1:]))


def _tool(chunk: str) -> Tool:
    name, does, arguments, question, result, answer = joined(chunk.strip().splitlines())
    given = []
    for argument in arguments.split("; "):
        described, value = argument.split(" = ", 1)
        label, kind = described.split(": ")
        given.append((label, kind, parse(value, choices=False)))
    return Tool(name, parse(does), tuple(given), parse(question), parse(result, choices=False), parse(_literal(answer)))


def _literal(text: str) -> str:
    # What a tool gave stands in brackets, which are choices elsewhere.
    return text.replace('"[{language}', '"{language}').replace('{name}]"', '{name}"')


_CODES: Final = (
    "EUR",
    "USD",
    "GBP",
    "JPY",
    "CHF",
    "SEK",
    "CAD",
    "AUD",
    "NOK",
    "PLN",
    "CZK",
    "INR",
    "BRL",
    "MXN",
    "ZAR",
)
_LETTERS: Final = tuple("ABCDEFGHKLMNPQRSTUVWXYZ")
_MODES: Final = ("bicycle", "tram", "bus", "wheelchair", "handcart", "scooter")


def row(draw: Draw) -> dict[str, Any]:
    """A question that a tool helps to answer."""
    tool = draw.one(tools())
    filling = Filling(draw)
    slots = filling.slots
    slots["cur"], slots["cur2"] = (_CODES[index] for index in draw.some(2, len(_CODES)))
    slots["W"] = draw.one(_LETTERS) + draw.one(_LETTERS)
    slots["W2"] = draw.one(_LETTERS) + draw.one(_LETTERS)
    slots["mode"] = draw.one(_MODES)
    slots["state"] = draw.one(("confirmed", "reserved"))
    slots["state2"] = draw.one(("true", "false"))
    for parts in (*(value for _, _, value in tool.arguments), tool.question, tool.result, tool.answer):
        for number in ranges(parts):
            slots.setdefault(number.name, str(draw.between(number.low, number.high)))
    given: dict[str, str | int] = {}
    for label, kind, value in tool.arguments:
        text = write(value, filling)
        given[label] = int(text) if kind in {"integer", "number"} else text
    call = f"call_{draw.below(1 << 48):012x}"
    function = {"name": tool.name, "arguments": json.dumps(given, ensure_ascii=False)}
    answer = articled(write(tool.answer, filling))
    return {
        "messages": [
            {"role": "user", "content": articled(write(tool.question, filling))},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": call, "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": call, "content": write(tool.result, filling)},
            {"role": "assistant", "content": answer[0].upper() + answer[1:]},
        ],
        "tools": [_offered(tool, filling)],
        "language": "en",
        "template": f"tools/{tool.name}",
    }


def _offered(tool: Tool, filling: Filling) -> dict[str, Any]:
    properties = {label: {"type": kind} for label, kind, _ in tool.arguments}
    parameters = {"type": "object", "properties": properties, "required": [label for label, _, _ in tool.arguments]}
    described = {"name": tool.name, "description": write(tool.does, filling), "parameters": parameters}
    return {"type": "function", "function": described}
