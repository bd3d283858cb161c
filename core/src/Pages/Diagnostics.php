<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use Exception;
use jeedom;
use jeenergie;
use Jeenergie\Daemon\Socket;
use Jeenergie\Equipment\Commands;
use Jeenergie\Storage\Json;

/**
 * The file that a user posts with a question: what Jeedom knows, and what the daemon tells without anything that
 * identifies anyone. Of Jeedom's own side numbers, types and states alone are in it: no name, no setting, no key.
 */
final class Diagnostics
{
    /** @return array {name: of the file, text: its content, readable JSON} */
    public static function file(): array
    {
        $content = ['made' => date('c'), 'jeedom' => self::jeedom(), 'daemon' => self::daemon()];
        return [
            'name' => 'jeenergie-diagnostic-' . date('Y-m-d-His') . '.json',
            'text' => Json::readable($content),
        ];
    }

    /** What the daemon tells; if it tells nothing, the reason, and all the same what Jeedom knows. */
    private static function daemon(): array
    {
        try {
            return jeenergie::dictionary(Socket::request('diagnostics')['report'] ?? null);
        } catch (Exception $error) {
            return ['silent' => get_class($error), 'connections' => []];
        }
    }

    private static function jeedom(): array
    {
        $readiness = Health::readiness();
        return [
            'version' => (string) jeedom::version(),
            'php' => PHP_VERSION,
            'system' => PHP_OS_FAMILY . ' ' . php_uname('m'),
            'plugin' => (string) (self::information()['pluginVersion'] ?? ''),
            'daemon' => $readiness['state'],
            'timezone' => date_default_timezone_get(),
            'eqLogics' => array_map([self::class, 'row'], array_values(jeenergie::byType('jeenergie'))),
        ];
    }

    private static function information(): array
    {
        return Json::decode((string) file_get_contents(dirname(__DIR__, 3) . '/plugin_info/info.json'));
    }

    private static function row(jeenergie $eqLogic): array
    {
        $existing = Commands::existing($eqLogic);
        $state = $eqLogic->state();
        return [
            'id' => (string) $eqLogic->getId(),
            'kind' => $eqLogic->isConnection() ? 'connection' : 'equipment',
            'backend' => $eqLogic->backend(),
            'type' => $eqLogic->type(),
            'connection' => (string) $eqLogic->getConfiguration('connection', ''),
            'enabled' => $eqLogic->getIsEnable() == 1,
            'state' => (string) ($state['state'] ?? ''),
            'code' => (string) ($state['code'] ?? ''),
            'lastCommunication' => (string) $eqLogic->getStatus('lastCommunication'),
            'commands' => count($existing),
            'obsolete' => count(array_diff_key($existing, $eqLogic->rows())),
            'missing' => array_map('strval', array_keys(Commands::missing($eqLogic))),
        ];
    }
}
