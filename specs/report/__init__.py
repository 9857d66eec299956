"""The report of the gate as a page: what is proved about which source, for whom it is to be read.

`python -m specs.report build/verify/report.json` makes the page again, and runs nothing.
"""
