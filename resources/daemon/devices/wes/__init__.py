"""CartElectronic WES energy server: HTTP and XML pages, CGI actions, one uploaded page of our own.

`source` in the catalogue, for an info: the tag of the page (`core/contract/catalogue/wes.json`), without the number
of the equipment; for an action: the request, `{key}` standing for the number. `scale`, `map` and `precision` are the
core's. What our page holds is the table `cgx.json`: directive, tag, format.
"""
