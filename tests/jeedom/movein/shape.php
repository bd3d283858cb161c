<?php

$shape = [];
foreach (DB::Prepare('SELECT id, name, logicalId, isEnable, isVisible, object_id FROM eqLogic WHERE eqType_name = :p', ['p' => $argv[1]], 1) as $row) {
    $shape['eq' . $row['id']] = $row;
}
foreach (['history', 'historyArch'] as $table) {
    $row = DB::Prepare("SELECT COUNT(*) AS n, SUM(h.value) AS s FROM $table h JOIN cmd c ON c.id = h.cmd_id WHERE c.eqType = :p", ['p' => $argv[1]], 0);
    $shape[$table] = $row;
}
$shape['active'] = config::byKey('active', $argv[1], 0, true);
$shape['daemon'] = config::byKey('deamonAutoMode', $argv[1], 1, true);
echo json_encode($shape);
