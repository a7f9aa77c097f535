"""Files in, records out: the only place beside `presets` and `cli` that opens a file.

`tables.read_runs` is the run-table reader; the other modules are its steps, in this order:

    source      bytes of a file or stdin -> text (compression, BOM, encoding)
    raw         the table as written: every cell is text, and knows its line
    delimited, jsonlines, parquet   text or bytes -> that table
    logs, folders   what trainers, trackers and evaluators wrote -> runs and evaluations
    joined, gather  runs, their evaluations and tables beside them -> that table
    columns     headers -> canonical columns (aliases, --map)
    groups      which column names the series
    metrics     which column is the metric, its direction and unit
    numbers     text -> a checked number
    rows        one row -> N, L, T and the rest, derived and consistent
"""
