<?php

$out = [];
foreach (json_decode($argv[1], true) as $from => $made) {
    $e = jeenergie::byId($made['to']);
    $out[$from] = ['name' => $e->getName(), 'object' => $e->getObject_id(), 'visible' => (int) $e->getIsVisible(),
        'type' => $e->type(), 'key' => $e->key(), 'connection' => $e->isConnection()];
}
echo json_encode($out);
