<?php

$journal = Journal::of($argv[1]);
echo json_encode([
    'pairs' => (object) $journal->get('pairs', []), 'equipment' => (object) $journal->get('equipment', []),
    'connections' => $journal->get('connections', []), 'made' => array_values($journal->get('made', [])), 'report' => $journal->get('report', []),
    'state' => $journal->get('state'),
]);
