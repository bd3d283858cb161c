"""The site's HTML."""

from __future__ import annotations

MAINTENANCE = (
    '<!DOCTYPE html><html lang="fr"><head><title>Maintenance</title></head><body><h1>Nous revenons bientôt</h1>'
    "<p>Le site est en cours de maintenance.</p></body></html>"
)
FORBIDDEN = (
    '<!DOCTYPE html><html lang="fr"><head><title>403 Interdit</title></head><body><h1>Interdit</h1>'
    "<p>La vérification CSRF a échoué.</p></body></html>"
)
CAPTCHA = '<div class="g-recaptcha" data-sitekey="x"></div>'


# What an application's shell says proves nothing: a site that sells boiler maintenance has the word on every page, and
# the test for persons of its contact form comes with every bundle. Public clients of 2026 look for the cookie alone.
SHELL = (
    '<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Hello Watt</title>'
    '<script src="https://www.google.com/recaptcha/api.js" async></script></head><body><div id="app"></div>'
    "<footer>Entretien et maintenance de chaudière</footer>"
    '<script>window.__STATE__={"captcha":null,"challenge":false}</script></body></html>'
)
INTERSTITIAL = (
    '<!DOCTYPE html><html lang="en"><head><title>Just a moment...</title></head><body>'
    '<form id="challenge-form" action="/?__cf_chl_f_tk=x" method="POST"></form></body></html>'
)


def login_page(token: str, without: str = "", extra: str = "") -> str:
    """The form for persons; `without` leaves the input of that name out."""
    inputs = {
        "login": '<input type="email" name="login" id="id_login" class="Input" required>',
        "password": '<input type="password" name="password" id="id_password" class="Input" required>',
        "remember": '<input type="checkbox" name="remember" id="id_remember">',
    }
    body = "\n".join(text for name, text in inputs.items() if name != without)
    hidden = f'<input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
    return f"""<!DOCTYPE html>
<html lang="fr"><head><meta charset="utf-8"><title>Se connecter</title></head><body>
<form action="/recherche/" method="get"><input type="text" name="q"></form>
<form id="loginUserForm" method="post" action="/accounts/login/">{hidden}
{body}
{extra}</form>
<button type="submit" form="loginUserForm">Me connecter</button>
</body></html>"""
