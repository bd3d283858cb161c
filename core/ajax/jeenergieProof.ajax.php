<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Proves to the daemon that this address leads to the Jeedom that shares a file with it, before it sends the api key
 * there: GET with "challenge", answered by its HMAC-SHA256 under the key in the file. Open to everybody, since it tells
 * nothing else; needs neither the core nor its database.
 */

$challenge = $_GET['challenge'] ?? '';
$key = trim((string) @file_get_contents(dirname(__DIR__, 2) . '/data/daemon/proof.key'));
header('Content-Type: text/plain');
header('Cache-Control: no-store');
if (!is_string($challenge) || preg_match('/^[0-9a-f]{32}$/D', $challenge) !== 1 || strlen($key) !== 64) {
    http_response_code(404);
    exit;
}
echo hash_hmac('sha256', $challenge, $key);
