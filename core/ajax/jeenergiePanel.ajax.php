<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Energy\Panel;
use Jeenergie\Storage\Json;

/*
 * What the energy panel asks, for every user: each sees the equipment that he may see.
 *
 * | action    | request                              | result                                                          |
 * |-----------|--------------------------------------|-----------------------------------------------------------------|
 * | equipment |                                      | [{id, name, object, series: [{cmd, name, kind, per, part, ...}]}] |
 * | days      | {cmds: [ids], from, to: YYYY-MM-DD}  | {<cmd>: {<YYYY-MM-DD>: number}}                                 |
 * | tile      | {id, version: dashboard or mobile}   | {html}                                                          |
 */

try {
    require_once __DIR__ . '/../../../../core/php/core.inc.php';
    include_file('core', 'authentification', 'php');

    if (!isConnect()) {
        throw new Exception(__('401 - Accès non autorisé', __FILE__));
    }
    ajax::init();
    $action = init('action');
    if (!in_array($action, ['equipment', 'days', 'tile'], true) || !class_exists('jeenergie')) {
        throw new Exception(__('Cette action n\'existe pas : rechargez la page.', __FILE__));
    }
    $request = Json::decode((string) init('request', '{}'));
    ajax::success(Panel::$action($request));
} catch (Throwable $e) {
    // Without its database the core has not come as far as to find its classes.
    class_exists('ajax') || exit('{"state":"error","result":"Jeedom ne répond pas : sa base de données est-elle arrêtée ?"}');
    ajax::error(displayException($e), $e->getCode());
}
