"""The two themes of a real Jeedom, switched as its own button does: sheets and attribute, which belong together."""

from __future__ import annotations

from chromium import Chromium

THEMES = ["core2019_Light", "core2019_Dark"]
WORN = """
    document.body.getAttribute('data-theme') === %(theme)r
        && [...document.styleSheets].some(each => each.href?.includes('/%(theme)s.css') && each.cssRules.length)
"""


def wear(browser: Chromium, theme: str) -> None:
    """Lets the page have one of the themes. It keeps it: at eight in the evening the core would take the dark one."""
    browser.run(
        f"""new Promise(done => {{
            const href = link => link.getAttribute('href').replace(/core2019_(Light|Dark)/g, {theme!r});
            const link = document.getElementById('jeedom_theme_currentcss');
            const shadows = document.getElementById('shadows_theme_css');
            link.setAttribute('data-nochange', 1);
            if (shadows) shadows.setAttribute('href', href(shadows));
            document.body.setAttribute('data-theme', {theme!r});
            if (href(link) === link.getAttribute('href')) return done();
            link.onload = () => setTimeout(done, 500); // the core fades colours
            link.setAttribute('href', href(link));
        }})"""
    )
    browser.until(WORN % {"theme": theme})
