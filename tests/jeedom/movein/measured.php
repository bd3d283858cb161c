<?php

$values = ['c' => $argv[1], 'at' => $argv[2], 'v' => $argv[3]];
DB::Prepare('REPLACE INTO history SET cmd_id = :c, datetime = :at, value = :v', $values, 0);
