<?php

// Everything that can name a command: see test_jeedom_movein.py.
[$info, $action, $eq] = array_slice($argv, 1);
$scenario = (new scenario())->setName('Reprise')->setMode('provoke')->setTrigger(["#$info# > 3"])->setIsActive(1)
    ->setObject_id(null);
$scenario->save();
$element = (new scenarioElement())->setType('if')->setName('')->setOptions('enable', 1);
$element->save();
$scenario->setScenarioElement([(string) $element->getId()])->save();
$parts = [];
foreach (['if' => 'condition', 'then' => 'action'] as $type => $subtype) {
    $part = (new scenarioSubElement())->setScenarioElement_id($element->getId())->setType($type)->setSubtype($subtype);
    $part->save();
    $parts[$type] = $part->getId();
}
$expressions = [
    ['if', 'condition', "average(#$info#,1 hour) > 3 et #{$info}0# == 1", []],
    ['then', 'action', "#$action#", ['enable' => '1', 'message' => "vaut #$info#"]],
    ['then', 'action', 'equipment', ['enable' => '1', 'eqLogic' => (string) $eq, 'action' => 'show']],
];
foreach ($expressions as $order => [$where, $type, $text, $options]) {
    $expression = (new scenarioExpression())->setScenarioSubElement_id($parts[$where])->setType($type)->setExpression($text);
    foreach ($options as $key => $value) { $expression->setOptions($key, $value); }
    $expression->setOrder($order)->save();
}
$design = (new planHeader())->setName('Reprise'); $design->save();
(new \plan())->setPlanHeader_id($design->getId())->setLink_type('cmd')->setLink_id($info)->save();
(new \plan())->setPlanHeader_id($design->getId())->setLink_type('eqLogic')->setLink_id($eq)
    ->setDisplay('cmdHide', [$info => '1'])->save();
$view = (new view())->setName('Reprise'); $view->save();
$zone = (new viewZone())->setView_id($view->getId())->setType('graph')->setName('z'); $zone->save();
(new viewData())->setviewZone_id($zone->getId())->setType('cmd')->setLink_id($info)->setOrder(1)->save();
$interact = (new interactDef())->setName('Reprise')->setQuery('reprise')->setReply("Il y a #$info#")->setEnable(1);
$interact->save();
$object = jeeObject::all()[0];
$object->setConfiguration('summary', ['power' => [['cmd' => "#$info#", 'enable' => '1', 'invert' => '0']]]); $object->save();
DB::Prepare("INSERT INTO eqLogic (name, eqType_name, configuration, isEnable, isVisible) VALUES ('Virtuel', 'virtual', '{}', 1, 1)", [], 0);
$virtual = (int) DB::getLastInsertId();
DB::Prepare("INSERT INTO cmd (eqLogic_id, eqType, name, type, subType, isHistorized, configuration, value)
    VALUES (:eq, 'virtual', 'v', 'info', 'numeric', 0, :configuration, :value)", ['eq' => $virtual, 'value' => "#$info#",
    'configuration' => json_encode(['calcul' => "#$info# * 2"])], 0);
(new listener())->setClass('virtual')->setFunction('pull')->setEvent(["#$info#"])->setOption(['virtual_id' => $virtual])->save();
config::save('reprise', "#$info#", 'core');
echo json_encode(['scenario' => $scenario->getId(), 'design' => $design->getId(), 'view' => $view->getId(),
    'interact' => $interact->getId(), 'virtual' => $virtual]);
