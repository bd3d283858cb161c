"""How the gateway is reached.

`endpoint_choice` (what the gateway has, which endpoint is read) calls `endpoints` (tokens renewed and missing endpoints
skipped on the way), which calls `client` (one HTTPS request). `pinning` establishes who the gateway is by `certificate`
and signs in with a token of `tokens/`. `paths` names the endpoints.
"""
