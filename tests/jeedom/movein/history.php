<?php

[$ids, $days] = [json_decode($argv[1], true), (int) $argv[2]];
foreach ($ids as $id) {
    foreach (eqLogic::byId($id)->getCmd('info') as $cmd) {
        $cmd->setIsHistorized(1)->save(true);
        $now = strtotime('2026-06-01 12:00:00');
        $rows = [];
        for ($n = 0; $n < $days * 24; $n++) {
            $rows[] = '(' . $cmd->getId() . ", '" . date('Y-m-d H:i:s', $now - $n * 3600) . "', '" . ($n % 97) . "')";
        }
        foreach (array_chunk($rows, 5000) as $index => $part) {
            DB::getConnection()->exec('INSERT IGNORE INTO historyArch (cmd_id, datetime, value) VALUES ' . implode(',', $part));
        }
        $live = [];
        for ($n = 1; $n <= 50; $n++) {
            $live[] = '(' . $cmd->getId() . ", '" . date('Y-m-d H:i:s', $now + $n * 60) . "', '" . $n . "')";
        }
        DB::getConnection()->exec('INSERT IGNORE INTO history (cmd_id, datetime, value) VALUES ' . implode(',', $live));
    }
}
echo '[]';
