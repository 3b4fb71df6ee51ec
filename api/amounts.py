"""A number as people group its digits; whether it is an amount or a count, its contract says."""

import re

GROUPED = re.compile(r"[0-9]{1,3}([,，][0-9]{3})+(\.[0-9]*)?", re.ASCII)


def ungrouped(written: str) -> str:
    """12,345.60 is 12345.60; a comma that parts no thousands stays: 1,50 is not a hundred and fifty."""
    return written.replace(",", "").replace("，", "") if GROUPED.fullmatch(written) else written
