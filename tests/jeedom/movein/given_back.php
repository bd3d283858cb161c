<?php

$place = ['c' => $argv[1], 'at' => $argv[2]];
$found = DB::Prepare('SELECT value FROM history WHERE cmd_id = :c AND datetime = :at', $place, 0);
DB::Prepare('DELETE FROM history WHERE cmd_id = :c AND datetime = :at', $place, 0);
echo json_encode((float) ($found['value'] ?? 0));
