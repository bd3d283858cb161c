<?php

$info = $action = null;
foreach (json_decode($argv[1]) as $id) {
    foreach (eqLogic::byId($id)->getCmd() as $cmd) {
        $taken = in_array($cmd->getLogicalId(), ['current_1', 'firmware', 'PwattsNow', 'sum_energy_elec'], true);
        $info = $info ?? ($taken ? $cmd->getId() : null);
        $action = $action ?? ($cmd->getType() === 'action' ? $cmd->getId() : null);
    }
}
echo json_encode([$info, $action ?? $info]);
