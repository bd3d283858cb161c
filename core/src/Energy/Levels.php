<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use config;
use cron;
use Exception;
use jeenergie;
use Jeenergie\Contract\Settings;
use Jeenergie\Pages\Notice;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Lock;
use log;
use message;
use Throwable;
use utils;

/**
 * The state each load shall have: the newest request of each equipment, and whether its command has run.
 *
 * The daemon repeats a request, by its number, until it is acknowledged as run. The command is run once, in the background,
 * however often it is requested; a number smaller than the newest is obsolete and not run. The state is in the database:
 * after a restart the daemon repeats its requests, and what has run already is acknowledged.
 */
final class Levels
{
    /** Time after which a running command no longer blocks the next one. */
    private const STUCK_AFTER_S = 120;

    /** Repeated requests without a background task having begun, after which the user gets a message. */
    private const REQUESTS_BEFORE_MESSAGE = 7;

    /** Key of the plugin's configuration that stores all levels; also the name of its lock. */
    private const KEY = 'levels';

    /** A file that exists while something has run and is not acknowledged yet. */
    private const MARKER_FILE = 'triggered';

    private const INITIAL = [
        'name' => '', 'number' => 0, 'value' => null, 'expires' => null,
        'ran' => true, 'told' => true, 'asked' => 0, 'begun' => 0, 'trouble' => '',
    ];

    /**
     * Accepts a request and schedules its command in the background.
     *
     * @param array $event {name: key of the field that holds the command, number, value}
     * @param int|null $expires Unix time by this machine's clock; null if it never expires
     */
    public static function request(jeenergie $eqLogic, array $event, ?int $expires): void
    {
        if (!is_int($event['number'] ?? null) || $event['number'] < 1) {
            throw new Exception('a level without a number');
        }
        $id = (string) $eqLogic->getId();
        $level = self::change($id, static function (array $level) use ($event, $expires): array {
            if ($event['number'] > $level['number']) {
                $level = ['name' => (string) $event['name'], 'number' => $event['number'], 'ran' => false, 'asked' => 0]
                    + $level;
            }
            $level['told'] = false;
            if ($event['number'] == $level['number']) {
                $level['value'] = $event['value'] ?? null;
                $level['expires'] = $expires;
                $level['asked']++;
            }
            return $level;
        });
        if ($level['ran']) {
            self::mark();
            return;
        }
        if ($level['asked'] === self::REQUESTS_BEFORE_MESSAGE && $level['begun'] === 0) {
            self::notifyUser($eqLogic, 'vain', sprintf(
                __('%s : Jeedom n\'exécute pas « %s ». Vérifiez que le moteur de tâches est activé.', __FILE__),
                $eqLogic->getHumanName(),
                self::label($eqLogic, $level['name'])
            ));
        }
        self::start($id, $level);
    }

    /** What has run and is not acknowledged yet: [{equipment, name, number}]. Marks it as acknowledged. */
    public static function takeUnacknowledged(): array
    {
        // Saves a query for each callback. If the file is lost, the daemon's next request has the level acknowledged.
        $mark = DataFolder::file(self::MARKER_FILE);
        if (!is_file($mark)) {
            return [];
        }
        @unlink($mark); // first: what runs from here on creates it again
        $takeUnacknowledged = [];
        Lock::during(self::KEY, static function () use (&$takeUnacknowledged): void {
            $levels = self::read();
            foreach ($levels as $id => $level) {
                if ($level['ran'] && !$level['told']) {
                    $levels[$id]['told'] = true;
                    $takeUnacknowledged[] = ['equipment' => (string) $id] + array_intersect_key($level, ['name' => 0, 'number' => 0]);
                }
            }
            if ($takeUnacknowledged !== []) {
                config::save(self::KEY, $levels, 'jeenergie');
            }
        });
        return $takeUnacknowledged;
    }

    /** Runs the newest request of an equipment, then any that has arrived meanwhile, so that the newest one is run last. */
    public static function carryOut(string $id): void
    {
        $lock = DataFolder::lock('level.' . $id . '.lock', 0.0);
        $age = abs(time() - (int) (self::read()[$id]['begun'] ?? 0));
        if ($lock === null && $age < self::STUCK_AFTER_S) {
            return; // the task at work looks for newer requests afterwards
        }
        try {
            self::runNewest($id);
        } finally {
            if ($lock !== null) {
                fclose($lock);
            }
        }
    }

    private static function runNewest(string $id): void
    {
        do {
            $wish = self::change($id, static function (array $level): array {
                return $level['ran'] ? $level : ['begun' => time(), 'asked' => -1] + $level;
            });
            if ($wish['ran']) {
                return;
            }
            $failure = self::attempt($id, $wish);
            $level = self::change($id, static function (array $level) use ($wish, $failure): array {
                $level['begun'] = 0;
                // If a newer request has run meanwhile, this command may have come after it: the newer one is run again.
                $level['ran'] = $failure === '' && $level['number'] == $wish['number'];
                $level['told'] = false;
                return $level;
            });
        } while ($level['number'] != $wish['number']);
        if ($level['ran']) {
            self::mark();
        }
    }

    /** Tries once. Returns '' if the command has run, null if it must not run now, else why it failed. */
    private static function attempt(string $id, array $wish): ?string
    {
        $eqLogic = jeenergie::byId($id);
        if (!$eqLogic instanceof jeenergie || $eqLogic->getIsEnable() != 1) {
            return null;
        }
        if ($wish['expires'] !== null && $wish['expires'] < time()) {
            log::add('jeenergie', 'info', sprintf(
                __('%s : le déclenchement « %s » arrive trop tard, il est ignoré.', __FILE__),
                $eqLogic->getHumanName(),
                $wish['name']
            ));
            return null;
        }
        try {
            Trigger::execute($eqLogic, $wish);
        } catch (Throwable $error) {
            self::notifyUser($eqLogic, 'failed', sprintf(
                __('%s : « %s » n\'a pas pu être exécutée (%s). Elle est répétée jusqu\'à ce qu\'elle le soit.', __FILE__),
                $eqLogic->getHumanName(),
                self::label($eqLogic, $wish['name']),
                $error->getMessage()
            ));
            return $error->getMessage();
        }
        self::notifyUser($eqLogic, '', '');
        return '';
    }

    /** Adds one message per kind of trouble; removes it if `$trouble` is ''. */
    private static function notifyUser(jeenergie $eqLogic, string $trouble, string $text): void
    {
        $id = (string) $eqLogic->getId();
        $isNews = false;
        self::change($id, static function (array $level) use ($trouble, &$isNews): array {
            $isNews = $level['trouble'] !== $trouble;
            $level['trouble'] = $trouble;
            return $level;
        });
        $messageId = 'jeenergie::level::' . $id;
        if ($isNews) {
            message::removeAll('jeenergie', $messageId); // of two with the same id the core would keep the older one
        }
        if ($isNews && $trouble !== '') {
            Notice::tell('error', $text, $messageId);
        } elseif ($trouble !== '') {
            log::add('jeenergie', 'debug', $text);
        }
    }

    private static function label(jeenergie $eqLogic, string $name): string
    {
        $connection = $eqLogic->connection();
        $fields = array_merge($connection === null ? [] : $connection->fields(), $eqLogic->fields());
        return (string) (Settings::byKey($fields)[$name]['label'] ?? $name);
    }

    /** Starts the background task, or starts one again that is left over because Jeedom was stopped. */
    private static function start(string $id, array $level): void
    {
        $task = ['equipment' => $id, 'number' => $level['number']];
        $left = cron::byClassAndFunction('jeenergie', 'runTrigger', $task);
        $isStuck = $level['begun'] > 0 && abs(time() - $level['begun']) >= self::STUCK_AFTER_S;
        if (is_object($left) && !$isStuck) {
            $left->run(true); // no effect while it runs
        } else {
            utils::executeAsync('jeenergie', 'runTrigger', $task);
        }
    }

    private static function mark(): void
    {
        fclose(DataFolder::open(self::MARKER_FILE));
    }

    /** Changes the level of one equipment under the lock, and returns the new one. */
    private static function change(string $id, callable $change): array
    {
        return Lock::during(self::KEY, static function () use ($id, $change): array {
            $levels = self::read();
            if (!isset($levels[$id])) {
                $levels = array_filter($levels, fn($each): bool => is_object(jeenergie::byId($each)), ARRAY_FILTER_USE_KEY);
            }
            $level = $change(($levels[$id] ?? []) + self::INITIAL);
            if ($level != ($levels[$id] ?? [])) {
                $levels[$id] = $level;
                config::save(self::KEY, $levels, 'jeenergie');
            }
            return $level;
        });
    }

    /** @return array[] by equipment id */
    private static function read(): array
    {
        return jeenergie::dictionary(config::byKey(self::KEY, 'jeenergie', '', true));
    }
}
