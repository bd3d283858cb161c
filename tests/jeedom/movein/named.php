<?php

// Every text that may name something, as one dictionary: what a move changes and an undo puts back.
$queries = [
    'scenario' => "SELECT id, `trigger` AS a, '' AS b FROM scenario", 'plan' => "SELECT id, link_id AS a, display AS b FROM plan",
    'expression' => 'SELECT id, expression AS a, options AS b FROM scenarioExpression',
    'view' => "SELECT id, link_id AS a, configuration AS b FROM viewData", 'interact' => "SELECT id, reply AS a, '' AS b FROM interactDef",
    'object' => "SELECT id, configuration AS a, '' AS b FROM object", 'listener' => "SELECT id, event AS a, `option` AS b FROM listener",
    'virtual' => "SELECT id, configuration AS a, value AS b FROM cmd WHERE eqType = 'virtual'",
    'config' => "SELECT `key` AS id, value AS a, '' AS b FROM config WHERE `key` = 'reprise'",
];
$all = [];
foreach ($queries as $name => $query) {
    foreach (DB::Prepare($query, [], 1) as $row) { $all[$name . $row['id']] = $row['a'] . ' | ' . $row['b']; }
}
echo json_encode($all);
