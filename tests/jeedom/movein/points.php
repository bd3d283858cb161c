<?php

$wrong = [];
foreach (json_decode($argv[1], true) as $from => $pair) {
    $points = function ($cmd) {
        $rows = [];
        foreach (['history', 'historyArch'] as $table) {
            foreach (DB::Prepare("SELECT datetime, value FROM $table WHERE cmd_id = ?", [$cmd], 1) as $row) {
                $rows[$row['datetime']][] = (float) $row['value'];
            }
        }
        ksort($rows);
        return $rows;
    };
    $expected = $pair['factor'] === null ? [] : array_map(
        fn(array $values) => array_map(fn(float $v) => round($v * $pair['factor'], 6), $values),
        $points($from)
    );
    $got = $points($pair['to']);
    if ($expected != $got) { $wrong[$from] = [count($expected), count($got), array_slice($got, 0, 3, true)]; }
}
echo json_encode((object) $wrong);
