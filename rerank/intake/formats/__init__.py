"""One module per format, each with `sniff` and `read`; `registry` has their order."""
