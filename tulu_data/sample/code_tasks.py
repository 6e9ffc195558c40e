"""Programming tasks: what to write, the code, and what may be said of it.

Slots stand in code too, so that names differ; code has no choices. `code.py` reads this.
"""

from __future__ import annotations

from typing import Final

TASKS: Final = r"""
@ python total-by-key
> adds up the {field} of all {nouns} for each {noun2} and [returns|gives back] a dictionary
def {fn}({nouns}):
    totals = {}
    for {noun} in {nouns}:
        key = {noun}["{noun2}"]
        totals[key] = totals.get(key, 0) + {noun}["{field}"]
    return totals
- `totals.get(key, 0)` [starts|begins] each new {noun2} at [zero|0], so no [check|test] for a missing key is
  [needed|necessary].
- A {noun} without a `{field}` [raises|ends in] a `KeyError`, which is [better|safer] than a wrong [sum|total].
- [One pass|A single loop] over the {nouns} is [enough|all it takes]: the [cost|time] grows with their [number|count].

@ python largest-first
> returns the {count} {nouns} with the [largest|highest] {field}, the largest first
import heapq


def {fn}({nouns}, count={count:2..9}):
    def by_{field}({noun}):
        return {noun}["{field}"]

    return heapq.nlargest(count, {nouns}, key=by_{field})
- `heapq.nlargest` [keeps|holds] only `count` {nouns} at a time, which [matters|pays] when there are [millions|very
  many] of them.
- {nouns} with an equal {field} [stay|come out] in their [original|first] order.
- For [all|every one] of the {nouns} a plain `sorted` is [simpler|clearer] and [just as|equally] fast.

@ python moving-average
> computes the moving average of the last {window} values of {field} of some {nouns}
from collections import deque


def {fn}({nouns}, window={window:3..12}):
    recent = deque(maxlen=window)
    averages = []
    for {field} in {nouns}:
        recent.append({field})
        averages.append(sum(recent) / len(recent))
    return averages
- A `deque` with `maxlen` [drops|forgets] the oldest {field} [by itself|on its own].
- The first {nouns} are [averaged|taken] over the [few|shorter run of] values [there are|seen so far].
- With a [large|wide] window keep a running [sum|total] of the {field} instead of [adding up|summing] each time.

@ python group-consecutive
> splits a sorted list of {nouns} into runs of consecutive numbers, for the {field} report
def {fn}({nouns}):
    runs = []
    for {noun} in {nouns}:
        if runs and {noun} == runs[-1][-1] + 1:
            runs[-1].append({noun})
        else:
            runs.append([{noun}])
    return runs
- `runs[-1][-1]` is the {noun} that was [added|seen] last.
- The {nouns} have to be sorted [before|first]; [call|use] `sorted` if they [may|might] not be.
- An empty list of {nouns} [gives|returns] an empty list[, which the caller can loop over|].

@ python word-count
> counts how often each word occurs in the {noun} texts of {company}, ignoring case
import re
from collections import Counter


def {fn}({nouns}):
    counts = Counter()
    for {noun} in {nouns}:
        counts.update(re.findall(r"[a-z]+", {noun}.lower()))
    return counts
- `Counter.update` takes any [iterable|sequence] of words, so [each|every] {noun} is one [call|line].
- `{fn}({nouns}).most_common(5)` [gives|lists] the five most [frequent|used] words.
- Letters beyond a to z [need|want] another pattern, [such as|for instance] `\w+`.

@ python binary-search
> finds the position of a {noun} in a sorted list of {nouns} by {field}, or returns -1
def {fn}({nouns}, {field}):
    low, high = 0, len({nouns})
    while low < high:
        middle = (low + high) // 2
        if {nouns}[middle] < {field}:
            low = middle + 1
        else:
            high = middle
    found = low < len({nouns}) and {nouns}[low] == {field}
    return low if found else -1
- [Each|Every] step [halves|cuts in half] the {nouns} that are left, so a million take about twenty [steps|comparisons].
- The [loop|search] keeps one [promise|invariant]: everything before `low` is [smaller|less] than the {field}.
- If a {field} occurs more than once, the [first|leftmost] position is [returned|found].

@ python flatten
> flattens nested lists of {nouns} of any depth, as the {field} export of {company} delivers them
def {fn}({nouns}):
    flat = []
    waiting = [iter({nouns})]
    while waiting:
        for {noun} in waiting[-1]:
            if isinstance({noun}, list):
                waiting.append(iter({noun}))
                break
            flat.append({noun})
        else:
            waiting.pop()
    return flat
- The [stack|list] `waiting` does what recursion would, without its [limit|depth limit].
- `else` after `for` [runs|is reached] only if the loop was not [broken|left early]: then that list of {nouns} is
  [done|finished].
- Strings [stay|are kept] whole, since only [lists|values of type list] are [opened|unpacked].

@ python retry
> calls another function up to {tries} times until it does not raise, as {company}'s {noun} service is
> [flaky|unreliable]
import time


def {fn}(call, tries={tries:3..8}, pause={pause:1..5}):
    for attempt in range(1, tries + 1):
        try:
            return call()
        except OSError:
            if attempt == tries:
                raise
            time.sleep(pause * attempt)
- Only `OSError` is [caught|retried]: a mistake in the {noun} code should [show|surface] at once.
- The pause [grows|gets longer] with each attempt, which [spares|relieves] the service.
- After the last attempt the [error|exception] is [raised|passed on] unchanged.

@ python validate-rows
> checks {nouns} and returns the numbers of those whose {field} is missing, negative or no number
def {fn}({nouns}):
    bad = []
    for number, {noun} in enumerate({nouns}, start=1):
        {field} = {noun}.get("{field}")
        is_number = isinstance({field}, (int, float)) and not isinstance({field}, bool)
        if not is_number or {field} < 0:
            bad.append(number)
    return bad
- `bool` is a kind of `int` in Python, so `True` has to be [excluded|ruled out] [by hand|explicitly].
- `enumerate(..., start=1)` [numbers|counts] the {nouns} [the way|as] people do.
- The {nouns} themselves are [not changed|left alone]; what happens to bad ones is for the [caller|report] to
  [decide|say].

@ python dataclass-summary
> turns a list of {nouns} into one summary with count, total and mean of {field}
from dataclasses import dataclass


@dataclass(frozen=True)
class {Noun}Summary:
    count: int
    total: float

    @property
    def mean(self):
        return self.total / self.count if self.count else 0.0


def {fn}({nouns}):
    return {Noun}Summary(len({nouns}), sum({noun}["{field}"] for {noun} in {nouns}))
- `frozen=True` [keeps|prevents] a summary from being [changed|altered] after it was made.
- The mean is [computed|worked out] when asked for, so it can't [disagree|be out of step] with the total {field}.
- Without any {nouns} the mean is [zero|0.0] [rather than|and not] an error.

@ python merge-intervals
> merges overlapping {noun} intervals, given as pairs of start and end of {field}
def {fn}({nouns}):
    merged = []
    for start, end in sorted({nouns}):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
- Once the {nouns} are sorted by [start|their start], only the last [interval|one] can [overlap|touch] the next.
- `max` is needed because one {noun} may [lie|be] [wholly|completely] inside another.
- Sorting [dominates|costs most]: O(n log n) for n {nouns}.

@ python chunks
> yields {nouns} in batches of {size}, for an upload of {field} values to {company}
def {fn}({nouns}, size={size:20..90}):
    batch = []
    for {noun} in {nouns}:
        batch.append({noun})
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
- It [works|runs] with any iterable of {nouns}, [also|even] one that does not fit into memory.
- The [last|final] batch may be [shorter|smaller], and is never [empty|without a {noun}].
- A new list for each batch [means|ensures] that the caller may [keep|store] it.

@ python lru-cache
> remembers the {field} of the last {size} {nouns} that were asked for
from collections import OrderedDict


class {Noun}Cache:
    def __init__(self, load, size={size:16..96}):
        self.load = load
        self.size = size
        self.known = OrderedDict()

    def {field}(self, {noun}):
        if {noun} in self.known:
            self.known.move_to_end({noun})
        else:
            self.known[{noun}] = self.load({noun})
            if len(self.known) > self.size:
                self.known.popitem(last=False)
        return self.known[{noun}]
- `move_to_end` [marks|notes] a {noun} as used just now; `popitem(last=False)` [drops|removes] the one
  [unused|idle] longest.
- `load` is [called|run] once for a {noun} as long as it [stays|remains] in the cache.
- For a plain function `functools.lru_cache` does [the same|all this] in one line.

@ python parse-config
> reads lines like `{field} = {low}` of a {noun} file into a dictionary, skipping comments
def {fn}(lines):
    settings = {}
    for number, line in enumerate(lines, start=1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError("line " + str(number) + ": no '=' in " + repr(text))
        settings[name.strip()] = value.strip()
    return settings
- `partition` [splits|cuts] at the first `=` [only|alone], so a {field} may [contain|have] another one.
- The message [names|tells] the line, which [saves|spares] a search in a long {noun} file[ of {low:11..99} lines|].
- Values [stay|remain] text; [turn|convert] them where it is [known|clear] what they are.

@ python dedupe
> removes {nouns} with a {field} that was seen before and keeps the order
def {fn}({nouns}):
    seen = set()
    kept = []
    for {noun} in {nouns}:
        {field} = {noun}["{field}"]
        if {field} not in seen:
            seen.add({field})
            kept.append({noun})
    return kept
- A set [answers|tells] whether a {field} was there in [constant|the same] time, however many {nouns} there are.
- The [first|earliest] {noun} of each {field} [wins|is the one kept].
- The {field} must be hashable: [numbers, texts and tuples|a number or a text] are.

@ python date-range
> lists all days between the first and the last {noun}, both included, for the {field} chart
from datetime import date, timedelta


def {fn}(first, last):
    days = (last - first).days
    return [first + timedelta(days=step) for step in range(days + 1)]
- [Subtracting|Taking] one date from another [gives|leaves] a `timedelta`, whose `days` are [whole|an integer].
- If the last {noun} [lies|comes] before the first, the list is [empty|without a day].
- Months and leap years [need|take] no care: the [calendar|date type] [knows|handles] them.

@ python topological
> orders {nouns} so that each comes after the {nouns} it depends on by {field}
def {fn}(needs):
    order, state = [], {}

    def visit({noun}):
        if state.get({noun}) == "open":
            raise ValueError("a circle at " + str({noun}))
        if {noun} not in state:
            state[{noun}] = "open"
            for other in needs.get({noun}, ()):
                visit(other)
            state[{noun}] = "done"
            order.append({noun})

    for {noun} in sorted(needs):
        visit({noun})
    return order
- A {noun} that is still [open|being visited] when it is [met|reached] again [closes|shows] a circle.
- `sorted` makes the [order|result] the same [every time|on each run], whatever the dictionary [holds first|looks like].
- The [standard library|module `graphlib`] has `TopologicalSorter` for [large|bigger] sets of {nouns}.

@ python csv-totals
> sums the column `{field}` of a CSV file of {nouns}, grouped by the column `{noun2}`
import csv
from collections import defaultdict
from decimal import Decimal


def {fn}(lines):
    totals = defaultdict(Decimal)
    for record in csv.DictReader(lines):
        totals[record["{noun2}"]] += Decimal(record["{field}"])
    return dict(totals)
- `Decimal` [adds|sums] a {field} like 0.10 [exactly|without rounding]; floats [do not|would not].
- `lines` may be an open file, [so|which means] the {nouns} are never all in [memory|RAM].
- A `{field}` that is no number [stops|ends] the run with an error[ instead of a wrong total|].

@ javascript group-by
> groups {nouns} by their {field}
function {fn}({nouns}) {
  const groups = new Map();
  for (const {noun} of {nouns}) {
    const key = {noun}.{field};
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push({noun});
  }
  return groups;
}
- A `Map` keeps the order in which a {field} was [met|seen] and takes [keys|values] of any type.
- The {nouns} in a group are the same objects, not [copies|clones].
- Recent engines have `Map.groupBy`, which [does|replaces] the [loop|same].

@ javascript debounce
> delays a {noun} search until the user has not typed for {wait} milliseconds
function {fn}(search, wait = {wait:150..900}) {
  let timer;
  return (...{nouns}) => {
    clearTimeout(timer);
    timer = setTimeout(() => search(...{nouns}), wait);
  };
}
- Each key press [cancels|clears] the timer of the one before, so only the last {noun} [is searched|counts].
- The timer [lives|sits] in the closure: two {noun} fields with their own call do not [disturb|affect] each other.
- For a limit of one {field} request [per|each] interval you [want|need] throttling instead.

@ javascript fetch-json
> fetches {nouns} from an address and fails with a clear message when the {field} service answers badly
async function {fn}(address) {
  const response = await fetch(address);
  if (!response.ok) {
    throw new Error("{nouns}: status " + response.status + " from " + address);
  }
  const {nouns} = await response.json();
  return {nouns}.filter(({noun}) => {noun}.{field} !== null);
}
- `fetch` does not [reject|fail] for status 404 or 500, so `ok` has to be [looked at|checked].
- The message has the [status|code] and the [address|URL], which is what [a log|someone who debugs] needs.
- A {noun} without {field} is [left out|dropped] by the filter[ at the end|].

@ javascript sort-by-two
> sorts {nouns} by {field} downwards and by {field2} upwards where that is equal
function {fn}({nouns}) {
  return [...{nouns}].sort(
    (a, b) => b.{field} - a.{field} || a.{field2} - b.{field2},
  );
}
- The [spread|copy] in front leaves the [caller's|original] {nouns} as they were, because `sort` [works|sorts] in place.
- `||` takes the second [comparison|difference] only if the {field} is [equal|the same].
- For texts [use|take] `localeCompare` in place of the [minus|subtraction].

@ javascript parse-query
> reads `{field}` and `{field2}` out of the query of a {noun} address, with defaults
function {fn}(address) {
  const query = new URL(address).searchParams;
  const {field} = Number(query.get("{field}") ?? {low:1..20});
  const {field2} = Number(query.get("{field2}") ?? {high:30..90});
  if (Number.isNaN({field}) || Number.isNaN({field2})) {
    throw new RangeError("{field} and {field2} must be numbers");
  }
  return { {field}, {field2} };
}
- `??` [gives|uses] the default for a missing value only, while `||` would [also|even] replace a [zero|0].
- `Number` of a text that is none is `NaN`, which is [tested|caught] [at once|before it spreads].
- `URL` [decodes|understands] what was escaped in the {noun} address.

@ javascript event-emitter
> lets other parts of {company}'s page listen to changes of a {noun}
class {Noun}Channel {
  #listeners = new Set();

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish({noun}, {field}) {
    for (const listener of [...this.#listeners]) listener({noun}, {field});
  }
}
- `subscribe` [returns|gives] a function that [ends|cancels] the subscription, so nobody needs a second
  [name|reference].
- The copy [protects|guards] the loop from listeners that [leave|unsubscribe] while a {noun} is [announced|published].
- `#listeners` is private: [outside code|nobody else] can [clear|touch] it.

@ javascript paginate
> cuts a list of {nouns} into pages of {size} and returns the page that is asked for
function {fn}({nouns}, page, size = {size:10..60}) {
  const pages = Math.max(1, Math.ceil({nouns}.length / size));
  const shown = Math.min(Math.max(page, 1), pages);
  const first = (shown - 1) * size;
  return { page: shown, pages, {nouns}: {nouns}.slice(first, first + size) };
}
- A page [below|under] one or [beyond|after] the last becomes the [nearest|closest] that [exists|there is].
- `slice` [copes|is fine] with an end beyond the {nouns}, so the last page [needs|takes] no special case.
- The answer [tells|says] how many pages there are, which the {noun} list [needs|shows] for its buttons.

@ javascript memo
> remembers the {field} of each {noun}, so that it is computed once
function {fn}(compute) {
  const known = new WeakMap();
  return ({noun}) => {
    if (!known.has({noun})) known.set({noun}, compute({noun}));
    return known.get({noun});
  };
}
- A `WeakMap` [does not keep|lets go of] a {noun} that [nobody|no one else] uses any more.
- Its keys must be objects; for a number or text [take|use] a `Map`.
- `has` and not the value is [tested|asked], because a {field} may be [undefined|missing] and still [right|valid].

@ javascript sum-object
> adds up the {field} of {nouns} in an object keyed by {noun} name
const {fn} = ({nouns}) =>
  Object.values({nouns}).reduce((total, {noun}) => total + ({noun}.{field} ?? 0), 0);
- The `0` at the end is the [start|first total]; without it an empty object would [throw|raise an error].
- `?? 0` [counts|takes] a {noun} without {field} as [nothing|zero].
- `Object.entries` would give the {noun} names [too|as well], [if|should] they [matter|be needed].

@ go count-lines
> counts the lines of a {noun} file that have a {field}
// Package main: {word6} {nouns} of {company}, {city2}.
package main

import (
	"bufio"
	"os"
	"strings"
)

func count{Nouns}(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	{nouns} := 0
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), "{field}=") {
			{nouns}++
		}
	}
	return {nouns}, scanner.Err()
}
- `scanner.Err()` [tells|says] whether the {noun} file was read to its end.
- `defer` [closes|releases] the file on [every|each] way out.
- Lines beyond 64 kB [need|take] a larger buffer: `scanner.Buffer`.

@ go worker-pool
> works on {nouns} with {workers} goroutines and collects each {field}
// Package main: {word6} {nouns} of {company}, {city2}.
package main

import "sync"

func {verb}{Nouns}({nouns} []{Noun}, work func({Noun}) int) []int {
	{field} := make([]int, len({nouns}))
	jobs := make(chan int)
	var group sync.WaitGroup
	for worker := 0; worker < {workers:3..16}; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for index := range jobs {
				{field}[index] = work({nouns}[index])
			}
		}()
	}
	for index := range {nouns} {
		jobs <- index
	}
	close(jobs)
	group.Wait()
	return {field}
}
- Each goroutine writes to its own [index|place], so the {field} slice needs no [lock|mutex].
- `close(jobs)` [ends|finishes] the loops; `Wait` [waits|holds] until all {nouns} are [done|worked on].
- The results have the order of the {nouns}, whoever was [faster|first].

@ go map-merge
> merges two maps of {noun} to {field}, adding where both have a {noun}
// Package main: {word6} {nouns} of {company}, {city2}.
package main

func merge{Nouns}(left, right map[string]int) map[string]int {
	{nouns} := make(map[string]int, len(left)+len(right))
	for {noun}, {field} := range left {
		{nouns}[{noun}] = {field}
	}
	for {noun}, {field} := range right {
		{nouns}[{noun}] += {field}
	}
	return {nouns}
}
- A missing {noun} [reads|counts] as zero, so `+=` [works|is right] for [both|the two] cases.
- The [size|hint] given to `make` [avoids|saves] growing the map [twice|again and again].
- Neither of the two maps is [changed|touched].

@ go error-wrap
> loads a {noun} as JSON and says which file was wrong
// Package main: {word6} {nouns} of {company}, {city2}.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

type {Noun} struct {
	{Field} float64 `json:"{field}"`
}

func load{Noun}(path string) ({Noun}, error) {
	var {noun} {Noun}
	content, err := os.ReadFile(path)
	if err != nil {
		return {noun}, fmt.Errorf("{noun}: %w", err)
	}
	if err := json.Unmarshal(content, &{noun}); err != nil {
		return {noun}, fmt.Errorf("{noun} %s: %w", path, err)
	}
	return {noun}, nil
}
- `%w` [keeps|wraps] the first error, so that `errors.Is` [still|later] finds it.
- `os.ReadFile` [names|has] the path in its own error; that of JSON does not, so it is [added|put in].
- The tag [maps|ties] `{field}` of the file to a [public|capital] name.

@ go filter-slice
> keeps the {nouns} whose {field} is at least {low}
// Package main: {word6} {nouns} of {company}, {city2}.
package main

func heavy{Nouns}({nouns} []{Noun}) []{Noun} {
	kept := {nouns}[:0:0]
	for _, {noun} := range {nouns} {
		if {noun}.{Field} >= {low:5..95} {
			kept = append(kept, {noun})
		}
	}
	return kept
}
- `{nouns}[:0:0]` is an empty slice of the same type [without|with no] room, so the first `append` [makes|takes]
  new memory.
- With `{nouns}[:0]` the input would be [overwritten|reused], which is [faster|quicker] and often a [surprise|bug].
- Since Go 1.21 `slices.DeleteFunc` [does|offers] the opposite [in place|on the input].

@ go timeout
> stops waiting for a {noun} after {wait} seconds
// Package main: {word6} {nouns} of {company}, {city2}.
package main

import (
	"context"
	"time"
)

func {verb}{Noun}(load func(context.Context) ({Noun}, error)) ({Noun}, error) {
	wait, cancel := context.WithTimeout(context.Background(), {wait:2..45}*time.Second)
	defer cancel()
	return load(wait)
}
- `load` has to [watch|respect] the context: the timeout [asks|signals], it does not [force|kill].
- `defer cancel()` [frees|releases] the timer when the {noun} [comes|arrives] in time.
- The error is `context.DeadlineExceeded`, which the {field} code can [tell apart|recognise].

@ rust sum-by-key
> adds up the {field} of {nouns} for each {noun2}
use std::collections::BTreeMap;

struct {Noun} {
    {noun2}: String,
    {field}: u64,
}

fn {fn}({nouns}: &[{Noun}]) -> BTreeMap<&str, u64> {
    let mut totals = BTreeMap::new();
    for {noun} in {nouns} {
        *totals.entry({noun}.{noun2}.as_str()).or_insert(0) += {noun}.{field};
    }
    totals
}
- `entry` [looks up|finds] the {noun2} once and [gives|hands] back the place to [add to|change].
- A `BTreeMap` [lists|iterates] its keys in order, so the {field} report is the same [each time|every run].
- The keys [borrow|point] into the {nouns}: nothing is [copied|cloned].

@ rust parse-line
> parses a line like `{noun}:{low}` into name and {field}, with an error that says what is wrong
fn {fn}(line: &str) -> Result<(&str, u32), String> {
    let ({noun}, {field}) = line
        .split_once(':')
        .ok_or_else(|| String::from("no colon in the {noun}"))?;
    let {field} = {field}
        .trim()
        .parse()
        .map_err(|_| String::from("the {field} is no number"))?;
    Ok(({noun}.trim(), {field}))
}
- `split_once` [returns|gives] an `Option`, which `ok_or_else` [turns|makes] into a `Result`.
- `?` [leaves|exits] at the first error, so the good case [reads|goes] straight down[, as for `{noun}:{low:10..90}`|].
- The {noun} is a [slice|part] of the line: no [memory|allocation] is needed for it.

@ rust longest
> returns the {noun} with the longest name, or nothing for no {nouns}
fn {fn}<'a>({nouns}: &[&'a str]) -> Option<&'a str> {
    {nouns}
        .iter()
        .copied()
        .max_by_key(|{noun}| {noun}.chars().count())
}
- `chars().count()` counts [characters|code points]; `len()` would count bytes of the {noun}.
- `max_by_key` [gives|returns] `None` for an empty slice, so the caller must [think|decide] what that means for the
  {field}.
- Of several {nouns} of the same length the [last|latest] is [taken|returned].

@ rust matching
> describes the state of a {noun} in words, with its {field} where it has one
enum {Noun}State {
    Waiting,
    Active { {field}: u32 },
    Closed(String),
}

fn {fn}(state: &{Noun}State) -> String {
    match state {
        {Noun}State::Waiting => "the {noun} waits".to_string(),
        {Noun}State::Active { {field} } => format!("{field} is {}", {field}),
        {Noun}State::Closed(reason) => format!("the {noun} was closed: {}", reason),
    }
}
- `match` has to [name|cover] each state; a new one is a [compile error|mistake the compiler finds] here.
- A {field} [exists|is there] only while the {noun} is active, and the type [says|shows] so.
- `{}` inside `format!` [prints|takes] whatever [implements|has] `Display`.

@ rust windows
> finds the first place where the {field} of some {nouns} falls
fn {fn}({field}: &[i64]) -> Option<usize> {
    {field}
        .windows(2)
        .position(|pair| pair[1] < pair[0])
        .map(|index| index + 1)
}
- `windows(2)` [slides|moves] over [neighbours|pairs] without copying a single {noun}.
- The [index|position] is that of the smaller {field}, hence [plus one|the added one].
- Fewer than two {nouns} have no window, so the [answer|result] is `None`.

@ sql top-customers
> lists the {count} {noun2} names with the highest total {field} in {nouns} since {year}
SELECT {noun2}_name, SUM({field}) AS total_{field}
FROM {nouns}
WHERE created_at >= DATE '{year:2011..2024}-0{digit:1..9}-01'
GROUP BY {noun2}_name
HAVING SUM({field}) > {low:10..95}
ORDER BY total_{field} DESC, {noun2}_name
LIMIT {count:3..25};
- `HAVING` [filters|looks at] groups, `WHERE` [filters|looks at] single {nouns}.
- The second [key|column] of `ORDER BY` makes [ties|equal totals] [stable|come out the same each time].
- An index on `{nouns} (created_at)` [helps|pays] once there are [many|millions of] {nouns}.

@ sql missing-rows
> finds {nouns} that have no {noun2} yet, with their {field}
SELECT {nouns}.id, {nouns}.{field}
FROM {nouns}
WHERE NOT EXISTS (
    SELECT 1
    FROM {noun2}_links
    WHERE {noun2}_links.{noun}_id = {nouns}.id
)
ORDER BY {nouns}.{field} DESC;
- `NOT EXISTS` [stops|ends] at the first {noun2} it [finds|meets] for a {noun}.
- `NOT IN` would [return|give] nothing as soon as one `{noun}_id` is [NULL|unknown].
- An index on `{noun2}_links ({noun}_id)` [makes|turns] each [look-up|check] cheap.

@ sql running-total
> shows each {noun} with the running total of its {field} by day
SELECT
    id,
    made_on,
    {field},
    SUM({field}) OVER (
        PARTITION BY {noun2}_id
        ORDER BY made_on, id
        ROWS UNBOUNDED PRECEDING
    ) AS {field}_so_far
FROM {nouns}
ORDER BY {noun2}_id, made_on, id;
- `PARTITION BY` [starts|begins] a new total for every {noun2}.
- Without `ROWS` two {nouns} of one day would [show|get] the same total, [since|because] the default is by
  [range|value].
- A window does not [merge|collapse] rows, as `GROUP BY` [does|would].

@ sql latest-each
> returns the latest {noun} of every {noun2}
WITH ranked AS (
    SELECT
        {nouns}.*,
        ROW_NUMBER() OVER (
            PARTITION BY {noun2}_id
            ORDER BY updated_at DESC, id DESC
        ) AS place
    FROM {nouns}
    WHERE {field} IS NOT NULL
)
SELECT {noun2}_id, id, {field}
FROM ranked
WHERE place = 1;
- `ROW_NUMBER` [gives|assigns] each {noun} its place among those of the same {noun2}.
- The `id` [decides|settles] between two {nouns} of the same [moment|time].
- {nouns} without {field} are [ignored|left out] [before|ahead of] ranking.

@ sql monthly
> counts {nouns} and averages their {field} for each month of {year}
SELECT
    EXTRACT(MONTH FROM created_at) AS month,
    COUNT(*) AS {nouns},
    ROUND(AVG({field}), 2) AS average_{field}
FROM {nouns}
WHERE created_at >= DATE '{year:2012..2024}-01-01'
  AND created_at < DATE '{year}-01-01' + INTERVAL '1 year'
GROUP BY month
ORDER BY month;
- The half-open range [includes|has] [all|every moment] of the last day of {year}.
- `AVG` [skips|ignores] a {field} that is NULL, `COUNT(*)` [does not|counts it all the same].
- A month without any {nouns} is [missing|not there]; join a calendar table to [see|get] it as zero.

@ sql upsert
> inserts a {noun} or raises its {field} if it is there already
INSERT INTO {nouns} (code, {field}, updated_at)
VALUES ('{word}-{low:10..99}', {high:100..900}, CURRENT_TIMESTAMP)
ON CONFLICT (code) DO UPDATE
SET {field} = {nouns}.{field} + EXCLUDED.{field},
    updated_at = EXCLUDED.updated_at;
- `EXCLUDED` is the {noun} that could not be [inserted|added].
- `code` needs a unique [index|constraint], or there is no [conflict|clash] to [notice|act on].
- It is one statement, so two clients can't [lose|overwrite] each other's {field}.

@ sql duplicates
> finds {nouns} that share {field} and {field2}, with how many there are
SELECT {field}, {field2}, COUNT(*) AS {nouns}, MIN(id) AS first_{noun}
FROM {nouns}
GROUP BY {field}, {field2}
HAVING COUNT(*) > 1
ORDER BY COUNT(*) DESC, first_{noun};
- Every group is one [set|family] of {nouns} that look the same.
- `MIN(id)` is the {noun} one would [keep|leave]; the others may be [deleted|merged] after a look.
- NULL [counts|is taken] as one value in `GROUP BY`, so unknown {field} values [end|meet] in one group.

@ sql pivot
> shows the total {field} of {nouns} by {noun2}, with a column for weekdays and one for weekends
SELECT
    {noun2}_id,
    SUM({field}) FILTER (WHERE EXTRACT(ISODOW FROM made_on) < 6) AS weekday_{field},
    SUM({field}) FILTER (WHERE EXTRACT(ISODOW FROM made_on) >= 6) AS weekend_{field}
FROM {nouns}
GROUP BY {noun2}_id
ORDER BY {noun2}_id;
- `FILTER` [limits|restricts] one sum; the others still see all {nouns}.
- `ISODOW` counts Monday as 1 and Sunday as 7, [whatever|no matter what] the server's [language|settings].
- A {noun2} without weekend {nouns} [gets|shows] NULL; wrap it in `COALESCE` for a [zero|0].

@ sql share
> gives each {noun2} its share of the whole {field} in percent
SELECT
    {noun2}_id,
    SUM({field}) AS {field},
    ROUND(100.0 * SUM({field}) / SUM(SUM({field})) OVER (), {digit:1..3}) AS percent
FROM {nouns}
GROUP BY {noun2}_id
ORDER BY percent DESC, {noun2}_id;
- `SUM(SUM({field})) OVER ()` [adds|sums] the groups' totals, after [grouping|`GROUP BY`].
- `100.0` and not `100` [avoids|prevents] a division of whole numbers.
- Rounded shares of {nouns} may [add up|sum] to a little more or less than [100|a hundred].

@ shell rename-files
> renames all {noun} files from `.{word}` to `.{word2}` in a folder and says how many there were
#!/usr/bin/env bash
# {Word6} {nouns} of {company}, {city2}, {month2} {low6:2014..2025}
set -euo pipefail

folder=$1
{nouns}=0
for path in "$folder"/{noun}-*.{word}; do
    [ -e "$path" ] || continue
    mv -- "$path" "$(dirname "$path")/$(basename "$path" .{word}).{word2}"
    {nouns}=$(({nouns} + 1))
done
echo "renamed $((  {nouns} )) {nouns}"
- The quotes [keep|hold] names with [spaces|blanks] together.
- `[ -e ]` [catches|covers] the case that no {noun} file [is there|matches], when the pattern [stays|remains] as it is.
- `--` [tells|lets] `mv` know that no name is an [option|flag].

@ shell disk-usage
> prints the {count} largest folders below a directory of {nouns}
#!/usr/bin/env bash
# {Word6} {nouns} of {company}, {city2}, {month2} {low6:2014..2025}
set -euo pipefail

root=$1
du --max-depth=1 --bytes -- "$root" > /tmp/{nouns}.sizes
sort --numeric-sort --reverse /tmp/{nouns}.sizes > /tmp/{nouns}.sorted
tail -n +2 /tmp/{nouns}.sorted | head -n {count:4..30} > /tmp/{nouns}.largest
awk '{ printf "%8.1f MB {noun} %s\n", $1 / 1e6, $2 }' /tmp/{nouns}.largest
- `tail -n +2` [skips|leaves out] the first line, which is the [sum|total] of all {nouns}.
- `sort` gets bytes and not [pretty|rounded] sizes, so 9 and 10 [megabytes|MB] come in the right order.
- `pipefail` [makes|lets] the script fail when `du` can't read a {noun} folder.

@ shell backup
> copies the {noun} database of {company} into a dated archive and keeps the last {count}
#!/usr/bin/env bash
# {Word6} {nouns} of {company}, {city2}, {month2} {low6:2014..2025}
set -euo pipefail

target=/var/backups/{nouns}
mkdir -p "$target"
tar --create --gzip --file "$target/{noun}-$(date +%Y%m%d).tmp" /srv/{nouns}
mv "$target/{noun}-$(date +%Y%m%d).tmp" "$target/{noun}-$(date +%Y%m%d).tar.gz"
ls -1t "$target"/{noun}-*.tar.gz | tail -n +{count:6..40} | xargs --no-run-if-empty rm --
- The archive gets its [final|real] name last, so a half-written one is never [taken|mistaken] for a backup.
- `ls -1t` [puts|lists] the newest first; what comes after is [removed|deleted].
- [Try|Test] a restore of the {nouns} [now and then|once a month]: a backup that was never read is a [hope|guess].

@ shell watch-log
> counts the {field} errors of each {noun} in a log file and shows the worst {count}
#!/usr/bin/env bash
# {Word6} {nouns} of {company}, {city2}, {month2} {low6:2014..2025}
set -euo pipefail

grep --extended-regexp "ERROR.*{field}" -- "$1" |
    grep --only-matching --extended-regexp "{noun}=[a-z0-9-]+" |
    sort |
    uniq --count |
    sort --numeric-sort --reverse |
    head -n {count:3..20}
- `uniq` only [merges|counts] neighbours, [hence|which is why] the `sort` before it.
- `--only-matching` [cuts|takes] the {noun} name out of the line.
- If there is no such error, `grep` ends with status 1 and the script [stops|ends] there.

@ shell parallel-download
> downloads a list of {noun} addresses, {count} at a time, and retries each twice
#!/usr/bin/env bash
# {Word6} {nouns} of {company}, {city2}, {month2} {low6:2014..2025}
set -euo pipefail

list=$1
mkdir -p {nouns}
fetch_{noun}() {
    curl --fail --silent --retry 2 --output-dir {nouns} --remote-name "$1"
}
export -f fetch_{noun}
xargs --arg-file="$list" --max-args=1 --max-procs={count:3..16} bash -c 'fetch_{noun} "$1"' {noun}
echo "$(find {nouns} -type f | wc -l) {nouns} are there"
- `--fail` [makes|turns] a status of 400 or more [an error|a failure] instead of a saved error page.
- `xargs` [starts|runs] as many downloads as `--max-procs` [says|allows].
- The count at the end [tells|shows] at a glance whether {nouns} are [missing|not there].

@ shell check-env
> stops with a clear message if one of the variables for the {noun} service is not set
#!/usr/bin/env bash
# {Word6} {nouns} of {company}, {city2}, {month2} {low6:2014..2025}
set -euo pipefail

missing=0
for name in {NOUN}_URL {NOUN}_{FIELD} {NOUN2}_TOKEN; do
    if [ -z "$(printenv "$name")" ]; then
        echo "error: $name is not set; see the {noun} page of the {company} handbook" >&2
        missing=1
    fi
done
exit "$missing"
- All missing names are [told|listed] at once, not one [a run|after the other].
- Messages go to [standard error|stderr], so the output [stays|remains] clean for the {field} job.
- The exit status lets [systemd|a scheduler] see that the {noun} service must not [start|begin].
"""
