<?php

$out = [];
foreach (json_decode($argv[1], true) as $made) {
    $c = jeenergie::byId($made['id']);
    $out[] = ['config' => $c->config(), 'enabled' => (int) $c->getIsEnable(), 'name' => $c->getName()];
}
echo json_encode($out);
