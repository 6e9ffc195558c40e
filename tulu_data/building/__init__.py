"""What a build does, from the inputs to the sealed mixture.

`build` calls the steps in this order: `recipes` and `survey` read the recipe and hash the `inputs`;
`examine` runs `ingest` (files into `shards` of the store), `scan` (stages measure) and `decide` (stages
judge; `candidates` reads the few rows whose texts are compared); `write` writes the rows that
are kept, and `ledger` what happened to all; `thresholds`, `trainable`, `first_looks` and
`excerpts` write tables for the report; `manifest` seals, and `versions` commits. `preview` is what
`plan` shows, `rebuild` builds again for `verify`, `gc` frees the workspace.
"""
