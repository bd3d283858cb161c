"""The pages that a gateway shows instead of data."""

from __future__ import annotations

from http.client import responses

from simulators.server import Response

UNAUTHORIZED = """<html>
<head><title>401 Authorization Required</title></head>
<body>
<center><h1>401 Authorization Required</h1></center>
<hr><center>openresty/1.17.8.1</center>
<script>window.location.replace("{target}")</script>
</body>
</html>
"""
ERROR = """<html>
<head><title>{status} {reason}</title></head>
<body>
<center><h1>{status} {reason}</h1></center>
<hr><center>openresty/1.17.8.1</center>
</body>
</html>
"""
VALID = "<!DOCTYPE html><h2>Valid token.</h2>\n"


def refusal(status: int, version: tuple[int, ...]) -> Response:
    """Returns the body of a status other than 200, on firmware `version`."""
    if status == 401:
        target = "/login.html" if version >= (8, 3) else "/home"
        return Response.of_html(UNAUTHORIZED.format(target=target), 401)
    if status == 404:
        return Response.of_json({"error": "404 - Not Found"}, 404)
    if status == 503:
        return Response.of_text("Resource busy, please retry after 30 seconds", 503)
    return Response.of_html(ERROR.format(status=status, reason=responses.get(status, "")), status)
