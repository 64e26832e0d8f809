"""`make bench`: ratios, measured side by side in one go; docs/performance.md says what they mean.

Each module here with a function `measure(house) -> Iterable[Row]` takes part. `ONLY=name` runs
one of them, `SIZE=1m` asks those that can for the big size.
"""
