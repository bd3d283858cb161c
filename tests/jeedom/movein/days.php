<?php

$cmd = jeenergie::byId($argv[1])->getCmd(null, 'conso_jour');
echo json_encode(array_column(
    DB::Prepare('SELECT datetime, value FROM historyArch WHERE cmd_id = ? ORDER BY datetime', [$cmd->getId()], 1),
    'value',
    'datetime'
));
