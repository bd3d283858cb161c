<?php

// What a move has made, without ids: our equipment that comes from a former plugin, with its commands.
$shape = [];
$sorted = static function (array $list): array { ksort($list); return $list; };
foreach (jeenergie::connections() as $connection) {
    foreach ($connection->getConfiguration('movedFrom') == '' ? [] : array_merge([$connection], $connection->equipment()) as $each) {
        $place = $each->isConnection() ? 'connection' : $each->type() . ' ' . $each->key();
        $columns = DB::Prepare('SELECT name, object_id, isEnable, isVisible, `order`, category FROM eqLogic WHERE id = ?', [$each->getId()], 0);
        $shape[$place] = $columns + ['config' => $sorted($each->config())];
        foreach (DB::Prepare('SELECT * FROM cmd WHERE eqLogic_id = ?', [$each->getId()], 1) as $row) {
            $shape[$place . ' ' . $row['logicalId']] = array_intersect_key($row, array_flip(
                ['name', 'type', 'subType', 'isVisible', 'isHistorized', 'order', 'unite', 'generic_type', 'template', 'alert', 'display']
            )) + ['hasValue' => (string) $row['value'] !== ''];
        }
    }
}
echo json_encode($sorted($shape));
