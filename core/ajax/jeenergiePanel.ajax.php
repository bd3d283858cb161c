<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Energy\House;
use Jeenergie\Energy\Panel;
use Jeenergie\Energy\Point;
use Jeenergie\Storage\Json;

/*
 * What the page of the house and its meters ask, for every user: each sees the equipment that he may see.
 *
 * | action    | request                              | result                                                          |
 * |-----------|--------------------------------------|-----------------------------------------------------------------|
 * | equipment |                                      | [{id, name, object, series: [{cmd, name, kind, per, part, ...}]}] |
 * | days      | {cmds: [ids], from, to: YYYY-MM-DD}  | {<cmd>: {<YYYY-MM-DD>: number}}                                 |
 * | since     | {cmds: [ids]}                        | {since: YYYY-MM-DD or ""}: of the newest of their histories      |
 * | tile      | {id, version: dashboard or mobile}   | {html}                                                          |
 * | house     |                                      | {home, name, connection, isAdmin, now, values: {<key>: {cmd,    |
 * |           |                                      | value, unit, at}}, names: {<quantity>: text}, colors, has:      |
 * |           |                                      | [quantities of now that there are], devices: [{id, name, kind,  |
 * |           |                                      | cmd, value, unit, at}]}, or {home: null}                        |
 * | roles     |                                      | the daemon's `house`, each role with its name and unit, each    |
 * |           |                                      | source with its equipment's and its command's name              |
 * | balance   | {from, to: YYYY-MM-DD or null, per}  | the daemon's `balance`, devices: [{id, name, kind, energy}],    |
 * |           |                                      | others: [{name, energy}], such as gas                           |
 * | points    |                                      | {points: [{id, name}]}: the charge points                       |
 * | point     | {id: the first one without it}       | {id, name, points, isAdmin, mayAct, commands: {<does>: cmd},    |
 * |           |                                      | infos: [cmd], modes: [{mode, name}], states: {<state>: text},   |
 * |           |                                      | periods: {<period>: {name, color}}, colors}, or {id: null}      |
 * | outlook   | {id}                                 | the daemon's `outlook`                                          |
 * | journal   | {id}                                 | the daemon's `journal` of that charge point                     |
 * | goalDays  | {id, days: ["1" to "7"]}             | {days}: saved in its settings                                   |
 */

try {
    require_once __DIR__ . '/../../../../core/php/core.inc.php';
    include_file('core', 'authentification', 'php');

    if (!isConnect()) {
        throw new Exception(__('401 - Accès non autorisé', __FILE__));
    }
    ajax::init();
    $action = init('action');
    $actions = ['equipment' => Panel::class, 'days' => Panel::class, 'since' => Panel::class, 'tile' => Panel::class];
    $actions += ['house' => House::class, 'roles' => House::class, 'balance' => House::class];
    $actions += array_fill_keys(['points', 'point', 'outlook', 'journal', 'goalDays'], Point::class);
    if (!isset($actions[$action]) || !class_exists('jeenergie')) {
        throw new Exception(__('Cette action n\'existe pas : rechargez la page.', __FILE__));
    }
    $request = Json::decode((string) init('request', '{}'));
    ajax::success($actions[$action]::$action($request));
} catch (Throwable $e) {
    // Without its database the core has not come as far as to find its classes.
    class_exists('ajax') || exit('{"state":"error","result":"Jeedom ne répond pas : sa base de données est-elle arrêtée ?"}');
    ajax::error(displayException($e), $e->getCode());
}
