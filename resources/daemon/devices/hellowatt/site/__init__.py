"""The web site: its requests, its session and its errors.

`account` (homes, contracts, days) calls `session` (one working session, renewed when lost), which calls `login` (the
form and the verdict on it). All three send by `client`, which asks `budget` before each request and raises `errors`.
`missing_homes` reports homes that left the account. `html_page` recognizes a login form, a maintenance page or a
challenge where data was expected.
"""
