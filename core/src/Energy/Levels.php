<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use config;
use cron;
use Exception;
use jeenergie;
use Jeenergie\Contract\Settings;
use Jeenergie\Equipment\State;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Lock;
use log;
use message;
use Throwable;
use utils;

/**
 * What loads are to be: the newest wish of each equipment, and whether the command chosen for it has run.
 *
 * The daemon asks for the same number again until it is told that it ran. It is run once, in the background, however
 * often it is asked for; a smaller number than the newest is an old wish and is not run. All that must not be lost is
 * in the database: after a restart the daemon asks again and is told what has run already.
 */
final class Levels
{
    /** Seconds after which a command that is still at work no longer keeps others from running. */
    private const STUCK = 120;

    /** Requests for one number without any background task having begun, after which the user should know. */
    private const IN_VAIN = 7;

    /** Of the setting that keeps them all, and of the lock around it. */
    private const KEY = 'levels';

    /** A file that is there while something has run that was not told yet. */
    private const MARK = 'triggered';

    private const NONE = [
        'name' => '', 'number' => 0, 'value' => null, 'expires' => null,
        'ran' => true, 'told' => true, 'asked' => 0, 'begun' => 0, 'trouble' => '',
    ];

    /**
     * Takes a wish and has its command run in the background.
     *
     * @param array $event {name: key of the field that holds the command, number, value}
     * @param int|null $expires by this machine's clock; null: it is run however late
     */
    public static function take(jeenergie $eqLogic, array $event, ?int $expires): void
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
        if ($level['asked'] === self::IN_VAIN && $level['begun'] === 0) {
            self::tell($eqLogic, 'vain', sprintf(
                __('%s : Jeedom n\'exécute pas « %s ». Vérifiez que le moteur de tâches est activé.', __FILE__),
                $eqLogic->getHumanName(),
                self::label($eqLogic, $level['name'])
            ));
        }
        self::start($id, $level);
    }

    /** What has run and has not been told yet, as the acknowledgement lists it. */
    public static function untold(): array
    {
        // It saves a query for each request of the daemon; were it lost, what ran is told when it is asked for again.
        $mark = DataFolder::file(self::MARK);
        if (!is_file($mark)) {
            return [];
        }
        @unlink($mark); // first: what runs from here on leaves another one
        $untold = [];
        Lock::during(self::KEY, static function () use (&$untold): void {
            $levels = self::read();
            foreach ($levels as $id => $level) {
                if ($level['ran'] && !$level['told']) {
                    $levels[$id]['told'] = true;
                    $untold[] = ['equipment' => (string) $id] + array_intersect_key($level, ['name' => 0, 'number' => 0]);
                }
            }
            if ($untold !== []) {
                config::save(self::KEY, $levels, 'jeenergie');
            }
        });
        return $untold;
    }

    /** Runs the newest wish of an equipment; one that comes meanwhile is run after it, so that the newest one stays. */
    public static function carryOut(string $id): void
    {
        $lock = DataFolder::lock('level.' . $id . '.lock', 0.0);
        $age = abs(time() - (int) (self::read()[$id]['begun'] ?? 0));
        if ($lock === null && $age < self::STUCK) {
            return; // whoever is at work looks for a newer wish afterwards
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
                // A newer wish may have run meanwhile, and this command still have come after it: it is run again.
                $level['ran'] = $failure === '' && $level['number'] == $wish['number'];
                $level['told'] = false;
                return $level;
            });
        } while ($level['number'] != $wish['number']);
        if ($level['ran']) {
            self::mark();
        }
    }

    /** Tries once; '' when the command ran, null when it is not to be run now, else why it failed. */
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
            self::tell($eqLogic, 'failed', sprintf(
                __('%s : « %s » n\'a pas pu être exécutée (%s). Elle est répétée jusqu\'à ce qu\'elle le soit.', __FILE__),
                $eqLogic->getHumanName(),
                self::label($eqLogic, $wish['name']),
                $error->getMessage()
            ));
            return $error->getMessage();
        }
        self::tell($eqLogic, '', '');
        return '';
    }

    /** Tells once that something is wrong; with no `trouble`, that it is over. */
    private static function tell(jeenergie $eqLogic, string $trouble, string $text): void
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
            message::removeAll('jeenergie', $messageId); // the core keeps the older one of two with the same id
        }
        if ($trouble !== '') {
            // The log shares the id for its own message of an error.
            log::add('jeenergie', $isNews ? 'error' : 'debug', $text, $messageId);
        }
        if ($isNews && $trouble !== '') {
            message::add('jeenergie', State::plain($text), '', $messageId);
        }
    }

    private static function label(jeenergie $eqLogic, string $name): string
    {
        $connection = $eqLogic->connection();
        $fields = array_merge($connection === null ? [] : $connection->fields(), $eqLogic->fields());
        return (string) (Settings::byKey($fields)[$name]['label'] ?? $name);
    }

    /** The core starts a background task once: one that is left over, since Jeedom was stopped, is started again. */
    private static function start(string $id, array $level): void
    {
        $task = ['equipment' => $id, 'number' => $level['number']];
        $left = cron::byClassAndFunction('jeenergie', 'runTrigger', $task);
        $isStuck = $level['begun'] > 0 && abs(time() - $level['begun']) >= self::STUCK;
        if (is_object($left) && !$isStuck) {
            $left->run(true); // does nothing while it is running
        } else {
            utils::executeAsync('jeenergie', 'runTrigger', $task);
        }
    }

    private static function mark(): void
    {
        fclose(DataFolder::open(self::MARK));
    }

    /** Changes the level of one equipment while nobody else does; gives what it is then. */
    private static function change(string $id, callable $change): array
    {
        return Lock::during(self::KEY, static function () use ($id, $change): array {
            $levels = self::read();
            if (!isset($levels[$id])) {
                $levels = array_filter($levels, fn($each): bool => is_object(jeenergie::byId($each)), ARRAY_FILTER_USE_KEY);
            }
            $level = $change(($levels[$id] ?? []) + self::NONE);
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
