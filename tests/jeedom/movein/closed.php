<?php

// A plugin whose files are not public: rows of its equipment, with commands by the names that users have written of
// them, and nothing else of it; and ours, already connected. Prints by type: its equipment, ours, "Conso jour".
config::save('active', 0, 'helloWatt'); // as the core does with a plugin without files
config::save('deamonAutoMode', 1, 'helloWatt');
$home = jeeObject::all()[0]->getId();
$account = new jeenergie();
$account->setEqType_name('jeenergie')->setName('Compte test')->setIsEnable(0);
$account->setConfiguration('kind', 'connection')->setConfiguration('backend', 'hellowatt');
$account->setConfiguration('config', ['user' => 'moi@exemple.fr', 'password' => 's3cret'])->setConfiguration('movedFrom', 'test');
$account->save();
$ids = [];
foreach (['electricity' => 'Compteur élec', 'gas' => 'Compteur gaz'] as $type => $name) {
    $ours = Discovery::create($account, $type, 'home1' . $type, $name . ' neuf');
    DB::Prepare("INSERT INTO eqLogic (name, eqType_name, logicalId, object_id, configuration, isEnable, isVisible)
        VALUES (:name, 'helloWatt', 'x', :home, '{}', 1, 1)", ['name' => $name, 'home' => $home], 0);
    $eq = (int) DB::getLastInsertId();
    $names = array_intersect_key(Catalogue::formerNames('hellowatt'), $ours->rows());
    $commands = ['Inconnue' => ['string', '']];
    foreach ($names as $logicalId => $command) {
        $row = $ours->rows()[$logicalId];
        $commands[$command] = [$row['subType'], $row['unit'] ?? ''];
    }
    $first = null;
    foreach ($commands as $command => [$subType, $unit]) {
        DB::Prepare("INSERT INTO cmd (eqLogic_id, eqType, name, type, subType, isHistorized, unite, configuration)
            VALUES (:eq, 'helloWatt', :name, 'info', :type, 1, :unit, '{}')", ['eq' => $eq, 'name' => $command, 'type' => $subType, 'unit' => $unit], 0);
        $old = (int) DB::getLastInsertId();
        $first = $command === 'Conso jour' ? $old : $first;
        foreach ($subType === 'numeric' ? range(1, 28) : [] as $day) {
            DB::Prepare('INSERT INTO historyArch VALUES (:c, :d, :v)', [
                'c' => $old, 'd' => sprintf('2026-02-%02d 00:00:00', $day), 'v' => $day,
            ], 0);
        }
    }
    // Ours has read from the 10th on.
    $cmd = $ours->getCmd(null, 'conso_jour');
    if (!is_object($cmd)) {
        Commands::createMissing($ours, ['conso_jour']);
        $cmd = $ours->getCmd(null, 'conso_jour');
    }
    foreach (range(10, 28) as $day) {
        DB::Prepare('INSERT INTO historyArch VALUES (:c, :d, :v)', [
            'c' => $cmd->getId(), 'd' => sprintf('2026-02-%02d 12:00:00', $day), 'v' => 100 + $day,
        ], 0);
    }
    $ids[$type] = [$eq, (int) $ours->getId(), $first];
}
echo json_encode($ids);
