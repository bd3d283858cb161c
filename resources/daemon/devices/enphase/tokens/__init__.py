"""The gateway's access token.

`token_store` returns the token in use and renews it; `token` parses a JWT and obtains one from Enlighten;
`token_refusals` remembers why Enlighten refused and when the next login may be tried.
"""
