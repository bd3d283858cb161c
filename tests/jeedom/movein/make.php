<?php

$plugin = $argv[1];
config::save('active', 1, $plugin);
config::save('deamonAutoMode', 1, $plugin);
if (!class_exists($plugin)) { require_once $GLOBALS['former_root'] . "/plugins/$plugin/core/class/$plugin.class.php"; }
$home = jeeObject::all()[0];
$make = function (string $name, string $logicalId, array $configuration) use ($plugin, $home) {
    $eq = new $plugin();
    $eq->setEqType_name($plugin)->setName($name)->setLogicalId($logicalId)->setObject_id($home->getId());
    foreach ($configuration as $key => $value) { $eq->setConfiguration($key, $value); }
    $eq->setIsEnable(1)->setIsVisible(1);
    $eq->save();
    // Some classes switch new equipment off; the user switches it on.
    $eq = eqLogic::byId($eq->getId());
    $eq->setIsEnable(1)->setIsVisible(1)->save(true);
    return $eq;
};
$ids = [];
if ($plugin === 'EaseeCharger') {
    config::save('account::7', json_encode(['id' => 7, 'name' => 'Compte test', 'login' => 'moi@exemple.fr',
        'password' => utils::encrypt('s3cret')]), $plugin);
    $ids[] = $make('Borne test', 'EH123456', ['accountId' => '7'])->getId();
} elseif ($plugin === 'wescontrol') {
    $box = $make('WES test', '', ['type' => 'general', 'ip' => '127.0.0.1', 'port' => '9', 'username' => 'admin',
        'password' => 'wes', 'usecustomcgx' => 1, 'pince1' => 1, 'sonde3' => 1, 'teleinfo1' => 1, 'relais2' => 1]);
    $box->save();
    $ids[] = $box->getId();
    foreach (eqLogic::byType($plugin) as $each) {
        if ($each->getId() != $box->getId()) {
            $more = ['pince' => ['pinceMeasure' => 'consumption'], 'sonde' => ['sondeMeasure' => 'temperature'],
                'teleinfo' => ['tarification' => 'HC', 'ticMeasure' => 'consumption']];
            foreach ($more[$each->getConfiguration('type')] ?? [] as $k => $v) { $each->setConfiguration($k, $v); }
            $each->setObject_id($home->getId())->setIsEnable(1)->setIsVisible(1)->save();
            $ids[] = $each->getId();
        }
    }
} elseif ($plugin === 'enphasesecur') {
    foreach (['ip' => '127.0.0.1', 'ctoken' => 'auto', 'user' => 'moi@exemple.fr', 'password' => 's3cret', 'serie' => '122233344455',
        'delais' => '60', 'widget' => '1', 'typereseau' => 'mono', 'PA' => 1, 'G1' => 1,
        'autoconso' => 'oui', 'wattsautoconso1on' => '1500', 'wattsautoconso1off' => '200'] as $k => $v) {
        config::save($k, $v, $plugin);
    }
    $gateway = $make('Passerelle test', 'enphasesecur_combine', ['type' => 'combine']);
    $ids[] = $gateway->getId();
    foreach (['on', 'off'] as $name) { // any two actions of this Jeedom
        $action = null;
        foreach (cmd::byTypeSubType('action', 'other') as $each) { $action = $action ?? $each; }
        config::save("cmdautoconso1$name", '#' . $action->getId() . '#', $plugin);
    }
    $ids[] = $make('Groupe test', 'enphasesecur_G1', ['type' => 'groupe'])->getId();
    $ids[] = $make('Onduleur test', '482233344455', ['type' => 'conv', 'groupement' => '1'])->getId();
    $ids[] = $make('Batteries test', 'enphasesecur_batt', ['type' => 'batt'])->getId();
} else {
    foreach (['client_id' => 'id', 'client_secret' => 's3cret', 'access_token' => 'a', 'refresh_token' => 'r'] as $k => $v) {
        config::save($k, $v, $plugin);
    }
    $eq = $make('Prises test', '00:11:22:33:44:55#2', ['consumption_type' => 'electrical', 'source_type' => 'other',
        'icon' => 'sockets', 'type' => 'EcoNetatmo']);
    foreach (['sum_energy_elec' => 'Energie', 'sum_energy_elec$1' => 'Energie HP'] as $logicalId => $name) {
        (new EcoNetatmoCmd())->setName($name)->setEqLogic_id($eq->getId())->setLogicalId($logicalId)->setType('info')
            ->setSubType('numeric')->setIsHistorized(1)->setConfiguration('scale', '30min')->save();
    }
    $ids[] = $eq->getId();
}
echo json_encode(array_map('intval', $ids));
