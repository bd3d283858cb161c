<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Pages\PageActions;
use Jeenergie\Storage\Json;

/*
 * What the plugin's pages ask, besides the core's own eqLogic.ajax.php (byId, save, remove).
 *
 * POST plugins/jeenergie/core/ajax/jeenergie.ajax.php with "action" and "request", a JSON object (may be absent).
 * Administrators only. Answer: {state: "ok", result} or {state: "error", result: sentence for the user, code}.
 * Ids are texts. Texts of the catalogue come in the user's language. Nothing here ever holds a secret. Texts are plain:
 * escape them (names and messages may quote a vendor), except the sentence of an error, which the core means as HTML.
 *
 * | action                | request                                 | result                                       |
 * |-----------------------|-----------------------------------------|----------------------------------------------|
 * | catalogue             |                                         | {backends: {<backend>: catalogue without     |
 * |                       |                                         | commands}, states: {<state>: text}}          |
 * | list                  |                                         | {connections: [SUMMARY + equipment:          |
 * |                       |                                         | [SUMMARY]], orphans: [SUMMARY], now: date,   |
 * |                       |                                         | daemon: {state: running, unheard, stopped,   |
 * |                       |                                         | dependencies, installing or blocked, text},  |
 * |                       |                                         | firstSteps: see FirstSteps::of}              |
 * | get                   | {id}                                    | SUMMARY + {config, secretsSet: [keys],       |
 * |                       |                                         | connection: SUMMARY + config or null,        |
 * |                       |                                         | commands: {<cmd id>: {logicalId, obsolete,   |
 * |                       |                                         | settings: fields, cadence: its default}},    |
 * |                       |                                         | missing: [{logicalId, name, create, known}]} |
 * | addConnection         | {backend, name, config: optional}       | {id}: saved, disabled, to be filled in       |
 * | addByHand             | {connection: id, type, key, name,       | {id}; an empty name becomes                  |
 * |                       | config}                                 | "<type> <key> (<connection>)"                |
 * | test                  | {connection: id or FORM}                | {identity, text}                   up to 65 s |
 * | discover              | {connection: id or FORM}                | {equipment: [{type, typeName, key, shownKey, |
 * |                       |                                         | name, config, active: it carries data, known:|
 * |                       |                                         | id or null}], gone: [SUMMARY of what is in      |
 * |                       |                                         | Jeedom only]}                     up to 65 s |
 * | nearby                |                                         | {found: [{backend, address, serial, config,  |
 * |                       |                                         | known: id of a connection, or null}]}: what  |
 * |                       |                                         | answers on the local network      up to 45 s |
 * | moveInList            |                                         | {former: [{plugin, title, backend, equipment,|
 * |                       |                                         | state: none, running, done, undoing or       |
 * |                       |                                         | undone, report, ended, progress}]}           |
 * | moveInPlan            | {plugin}                                | what taking it over would do, see MovePlan   |
 * | moveIn, moveInUndo    | {plugin}                                | {}: goes on in the background                |
 * | createDiscovered      | {connection: id, equipment: [{type,     | {created: [ids]}; known ones are left alone  |
 * |                       | key, name, config}]}                    |                                              |
 * | synchronise           | {connection: id, equipment: [as for     | {created: [ids], removed: [ids]}: creates,   |
 * |                       | createDiscovered], remove: [ids]}       | then removes what belongs to it, with its    |
 * |                       |                                         | commands and their history                   |
 * | runOperation          | {connection: id or FORM, operation,     | {text}; progress by events        up to 305 s |
 * |                       | options: {<field>: value}}              |                                              |
 * | createMissingCommands | {id, logicalIds: [optional]}            | {created: [logicalIds]}                      |
 * | resetCommands         | {id}                                    | {}: defaults again, obsolete ones removed    |
 * | moveEquipment         | {id, connection: id}                    | {}                                           |
 * | daemon                |                                         | {running, error, version, uptime, outbox,    |
 * |                       |                                         | callbackError, callback, connections, oldest:|
 * |                       |                                         | {<connection>: {equipment, name, at}}}       |
 * | words                 | {connection: id, event: progress or     | of an event of the last minute, else nothing:|
 * |                       | equipment}                              | {operation, percent, text}, or               |
 * |                       |                                         | {created, level, text}                       |
 * | startDaemon           |                                         | {}: it answers; else an error says why not   |
 * | firstSteps            | {wish: open, left or ended}             | {}: whether the user wants to see them       |
 * | place                 | {connection: id, object: id, or "" and  | {}: it stands there, and its equipment that  |
 * |                       | the name of a new one}                  | has no object                                |
 * | diagnostics           |                                         | {name, text}: a file to post, see Diagnostics|
 * | document              | {page}                                  | {html}: one page of the documentation        |
 *
 * FORM: {id: "" for a new one, backend, name, config: {<field>: value}}, needs no save; an empty secret means
 * the saved one.
 * SUMMARY: {id, kind, backend, backendName, type, typeName, typeIcon, icon, shownKey, keyLabel and isKeyFixed: its key for
 * the user, see ShownKey; name, object: its id or "", humanName, isEnable, isVisible, image, state: {} or {state, text, since, until, code, message}, lastCommunication, live: {} or {name, value, unit, date}:
 * the value that says how an equipment does}.
 *
 * In the forms of the core (eqLogicAttr, cmdAttr):
 *  - settings: data-l1key="configuration" data-l2key="config" data-l3key="<field>"; what is not sent stays, what is
 *    sent empty goes back to its default; a secret field stays empty on the page ("secretsSet" of byId and get says
 *    whether there is one) and, left empty, keeps what is saved;
 *    a list may be sent as an array, as "a,b" or as boxes {"a": "1", "b": "0"};
 *  - of an equipment: configuration.connection (id), configuration.key;
 *  - of a command: data-l1key="configuration" data-l2key="settings" data-l3key="<field>";
 *  - configuration.shownCommands = ids of the commands on the page (array or "1,2"), set in saveEqLogic(): commands
 *    that came to be meanwhile are then not removed by the save.
 * Never post configuration.kind, backend, type, secrets.
 *
 * Events to the browser (event::add) reach every signed-in user, so they hold no words: "list" and "words" do.
 *  jeenergie::state {id, state} of a connection or an equipment;
 *  jeenergie::progress {connection, operation, percent}; jeenergie::equipment {connection, created: n}.
 */

try {
    require_once __DIR__ . '/../../../../core/php/core.inc.php';
    include_file('core', 'authentification', 'php');

    if (!isConnect('admin')) {
        throw new Exception(__('401 - Accès non autorisé', __FILE__));
    }
    ajax::init();
    unautorizedInDemo();

    $actions = [
        'catalogue', 'list', 'get', 'addConnection', 'addByHand', 'test', 'discover', 'createDiscovered',
        'synchronise', 'runOperation', 'createMissingCommands', 'resetCommands', 'moveEquipment', 'daemon',
        'startDaemon', 'diagnostics', 'words', 'nearby', 'document', 'firstSteps', 'place', 'moveInList', 'moveInPlan', 'moveIn', 'moveInUndo',
    ];
    $action = init('action');
    // The core loads the class of a plugin, and that one finds its helpers.
    if (!in_array($action, $actions, true) || !class_exists('jeenergie')) {
        throw new Exception(__('Cette action n\'existe pas : rechargez la page.', __FILE__));
    }
    $request = Json::decode((string) init('request', '{}'));
    $request = jeedom::fromHumanReadable($request);
    ajax::success(PageActions::$action($request));
} catch (Throwable $e) {
    // Without its database the core has not come as far as to find its classes.
    class_exists('ajax') || exit('{"state":"error","result":"Jeedom ne répond pas : sa base de données est-elle arrêtée ?"}');
    ajax::error(displayException($e), $e->getCode());
}
