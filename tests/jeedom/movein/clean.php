<?php

foreach (json_decode($argv[1], true) as $plugin) {
    foreach (glob(DataFolder::path() . "/movein-$plugin.json*") as $file) { unlink($file); }
    DB::Prepare('DELETE FROM history WHERE cmd_id IN (SELECT id FROM cmd WHERE eqType = :p)', ['p' => $plugin], 0);
    DB::Prepare('DELETE FROM historyArch WHERE cmd_id IN (SELECT id FROM cmd WHERE eqType = :p)', ['p' => $plugin], 0);
    DB::Prepare('DELETE FROM cmd WHERE eqType = :p', ['p' => $plugin], 0);
    DB::Prepare('DELETE FROM eqLogic WHERE eqType_name = :p', ['p' => $plugin], 0);
    DB::Prepare('DELETE FROM config WHERE plugin = :p', ['p' => $plugin], 0);
    foreach (cron::all() as $each) { // one that never ends would go on without its row
        if ($each->getClass() === $plugin && $each->getState() === 'run') { $each->halt(); }
    }
    DB::Prepare('DELETE FROM cron WHERE class = :p', ['p' => $plugin], 0);
}
foreach (jeenergie::byType('jeenergie') as $each) {
    if (!$each->isConnection() && $each->connection() !== null && $each->connection()->getConfiguration('movedFrom') != '') {
        $each->remove();
    }
}
foreach (jeenergie::connections() as $each) { if ($each->getConfiguration('movedFrom') != '') { $each->remove(); } }
foreach (scenario::all() as $each) { if ($each->getName() === 'Reprise') { $each->remove(); } }
foreach (planHeader::all() as $each) { if ($each->getName() === 'Reprise') { $each->remove(); } }
foreach (view::all() as $each) { if ($each->getName() === 'Reprise') { $each->remove(); } }
foreach (interactDef::all() as $each) { if ($each->getName() === 'Reprise') { $each->remove(); } }
DB::Prepare("DELETE FROM listener WHERE class = 'virtual'", [], 0);
DB::Prepare("DELETE FROM cmd WHERE eqType = 'virtual'", [], 0);
DB::Prepare("DELETE FROM eqLogic WHERE eqType_name = 'virtual'", [], 0);
config::remove('reprise', 'core');
$object = jeeObject::all()[0]; $object->setConfiguration('summary', []); $object->save();
echo '[]';
