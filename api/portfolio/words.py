"""Words an import says of a file or a row; what the contract and the rules say stands with them."""

FOREIGN = "不是本机构的保单"
"""The row names another insurer."""
