<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Run before each request while a measurement lasts (see inside.py): one line of JSON with what the request cost.
 * The database's counters belong to a session that outlives requests: the reader takes the difference of two lines.
 */
(static function (): void {
    $file = $_SERVER['JEENERGIE_BENCH'] ?? '';
    if ($file === '') {
        return;
    }
    $cpu = static function (): float {
        $spent = 0.0;
        foreach ([0, 1] as $who) {
            $usage = getrusage($who);
            $spent += $usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'];
            $spent += ($usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec']) / 1e6;
        }
        return $spent;
    };
    $before = $cpu();
    register_shutdown_function(static function () use ($file, $cpu, $before): void {
        $line = ['at' => microtime(true), 'cpu' => $cpu() - $before, 'script' => basename($_SERVER['SCRIPT_NAME'] ?? '')];
        $line['bytes'] = (int) ($_SERVER['CONTENT_LENGTH'] ?? 0);
        if (class_exists('DB', false)) {
            $database = DB::getConnection();
            $session = (int) $database->query('SELECT CONNECTION_ID()')->fetchColumn();
            // MariaDB answers a session by one thread; its clock is open to all.
            $known = dirname($file) . '/thread-' . $session;
            $thread = (int) @file_get_contents($known);
            $clock = static function () use (&$thread): float {
                return (int) @file_get_contents('/proc/' . $thread . '/schedstat') / 1e9;
            };
            $line += ['session' => $session, 'database' => $clock()];
            $line['statements'] = (int) $database->query("SHOW SESSION STATUS LIKE 'Questions'")->fetchColumn(1);
            if ($thread === 0) {
                $list = 'SELECT TID FROM information_schema.PROCESSLIST WHERE ID = ' . $session;
                $thread = (int) $database->query($list)->fetchColumn();
                file_put_contents($known, (string) $thread);
                $line['statements']++;
            }
            $line['databaseEnd'] = $clock();
        }
        file_put_contents($file, json_encode($line) . "\n", FILE_APPEND | LOCK_EX);
    });
})();
