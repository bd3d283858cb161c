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
