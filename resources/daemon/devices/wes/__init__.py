"""CartElectronic WES energy server: HTTP and XML pages, CGI actions, one uploaded page of our own.

`device.py` polls the WES and carries out actions. A poll calls, in this order:

- `cgx_choice`: reads the best page the WES has (ours, the official plugin's, the standard one) by `client`, which sends
  one request at a time through `http_get` and parses the answer by `cgx_page`.
- `changed_facts`: makes facts of the texts that changed, by `mapping` and `tariff` (pure), and lets `plausibility`
  hold back readings that cannot be true.
- `user_reports`: tells the user about meters, clock and supply, each thing once.

`cgx` builds our page from `cgx.json`; `ftp` uploads it. `discovery` lists inputs and outputs. `source` in the catalogue
is, for an info, the tag of the page without the number of the equipment; for an action the request, `{key}` standing
for that number.
"""
