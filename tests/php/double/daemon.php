<?php

// A daemon: prints its port, reads a line of each peer and answers as its first argument says, or with that itself.
// What it was asked it writes into its data folder, where it has one.

$server = stream_socket_server('tcp://127.0.0.1:0');
echo substr(strrchr(stream_socket_get_name($server, false), ':'), 1), "\n";
while ($peer = stream_socket_accept($server, 5)) {
    $message = json_decode(fgets($peer), true);
    if (isset($argv[5])) {
        file_put_contents($argv[5] . '/asked', $message['cmd'] . "\n", FILE_APPEND);
        if (is_file($argv[5] . '/messages')) { // for tests that read them whole
            file_put_contents($argv[5] . '/messages', json_encode($message) . "\n", FILE_APPEND);
        }
    }
    $found = [['type' => 'meter', 'key' => '8', 'name' => 'Eight', 'config' => [], 'active' => true]];
    $answers = [
        'echo' => json_encode(['id' => null, 'ok' => true, 'result' => $message]),
        'long' => json_encode(['id' => null, 'ok' => true, 'result' => ['text' => str_repeat('é', 300000)]]),
        'discover' => json_encode(['id' => null, 'ok' => true, 'result' => ['equipment' => $found]]),
        'refuse' => '{"id":null,"ok":false,"error":{"code":"authentication_failed","message":"Non <b>."}}',
        'garbage' => '<html>',
        'close' => '',
    ];
    if ($argv[1] === 'silence') {
        fread($peer, 1); // until the client has gone
        exit;
    }
    foreach (str_split(($answers[$argv[1]] ?? $argv[1]) . "\n", 100000) as $part) {
        fwrite($peer, $part);
    }
    fclose($peer);
    if (($message['cmd'] ?? '') === 'shutdown') {
        exit;
    }
}
