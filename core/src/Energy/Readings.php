<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use cmd;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\Socket;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Json;
use Jeenergie\Storage\Lock;
use listener;
use log;
use Throwable;
use utils;

/**
 * Hands the values of other plugins' commands to the daemon: those that a field with "listens" names.
 *
 * The core calls take() inside the event of such a command, so that nothing here may take long: at most one message a
 * second leaves from there. What changes sooner waits in a file, the newest value of each command, for the next event or
 * for a background task, whichever comes first.
 */
final class Readings
{
    /** Name of the method that the core calls; stored in its table of listeners. */
    private const HOOK = 'onReading';

    /** What requests share: {sent, failed, courier: Unix times, pending: values by command}. */
    private const FILE = 'readings.json';
    private const EMPTY = ['sent' => 0, 'failed' => 0, 'courier' => 0, 'pending' => []];

    private const PACE_S = 1.0;

    /** Longest that an event of the core waits for the daemon; and for another request that changes the file. */
    private const TIMEOUT_S = 0.5;
    private const MAX_WAIT_S = 0.1;

    /** After a message in vain. */
    private const REST_S = 30.0;

    /** The daemon takes no more in one message. */
    private const MAX_VALUES = 500;

    /** The background task: it looks this often, ends after that time without news, and lives no longer than so. */
    private const LOOK_US = 250000;
    private const IDLE_S = 10.0;
    private const LIFE_S = 300.0;

    /** Without a sign of it for this long, it counts as dead. */
    private const COURIER_S = 10.0;

    /** Called when the daemon has got its state, thus at its start and after each save: listens, and sends what is now. */
    public static function follow(): void
    {
        try {
            self::send(self::current(self::listen()));
        } catch (Throwable $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
        }
    }

    /** After the save or the removal of an equipment. */
    public static function changed(jeenergie $equipment): void
    {
        if (self::fields($equipment) !== []) {
            self::listen();
        }
    }

    /**
     * Makes the core's listeners name the chosen commands, and only them: a row each, whose column holds some fifty at most.
     *
     * @return string[] their ids
     */
    private static function listen(): array
    {
        return Lock::during('listen', static function (): array {
            $ids = self::chosen();
            $missing = array_fill_keys($ids, true);
            foreach (self::listeners() as $listener) {
                $events = $listener->getEvent();
                $id = count($events) === 1 ? trim((string) reset($events), '#') : '';
                if (!isset($missing[$id])) {
                    $listener->remove();
                }
                unset($missing[$id]);
            }
            foreach (array_keys($missing) as $id) {
                $listener = new listener();
                // In the event's own process: the core would start one for each value.
                $listener->setClass('jeenergie')->setFunction(self::HOOK)->setOption('background', false);
                $listener->setEvent(['#' . $id . '#'])->save();
            }
            return $ids;
        });
    }

    /** @return listener[] */
    private static function listeners(): array
    {
        $own = array_filter(listener::byClass('jeenergie'), fn(listener $each): bool => $each->getFunction() === self::HOOK);
        return array_values($own);
    }

    /** @return string[] ids of the info commands that enabled equipment names, each once, in order */
    private static function chosen(): array
    {
        $ids = [];
        foreach (jeenergie::byType('jeenergie', true) as $equipment) {
            foreach (self::fields($equipment) as $key) {
                $cmd = cmd::byId(trim((string) ($equipment->config()[$key] ?? ''), '#'));
                if (is_object($cmd) && $cmd->getType() === 'info') {
                    $ids[(int) $cmd->getId()] = (string) $cmd->getId();
                }
            }
        }
        ksort($ids);
        return array_values($ids);
    }

    /** The other plugin's command that an equipment listens to, by its own name. */
    public static function nameOf(jeenergie $equipment): string
    {
        foreach (self::fields($equipment) as $key) {
            $cmd = cmd::byId(trim((string) ($equipment->config()[$key] ?? ''), '#'));
            if (is_object($cmd)) {
                return $cmd->getHumanName();
            }
        }
        return '';
    }

    /** @return string[] keys of the fields with "listens" of an equipment's type */
    private static function fields(jeenergie $equipment): array
    {
        if ($equipment->isConnection() || !in_array($equipment->backend(), Catalogue::backends(), true)) {
            return [];
        }
        $part = Catalogue::of($equipment->backend())['equipment'][$equipment->type()] ?? ['fields' => []];
        return array_column(array_filter($part['fields'], fn(array $field): bool => $field['listens'] ?? false), 'key');
    }

    /** Every minute: a value that stays the same is no event for the core, but its date shows that it still holds. */
    public static function everyMinute(): void
    {
        try {
            $events = array_merge([], ...array_map(fn(listener $each): array => $each->getEvent(), self::listeners()));
            if ($events !== [] && Daemon::isRunning()) {
                self::send(self::current(array_map(fn(string $event): string => trim($event, '#'), $events)));
            }
        } catch (Throwable $error) {
            log::add('jeenergie', 'warning', $error->getMessage());
        }
    }

    /**
     * The last values of commands.
     *
     * @param string[] $ids
     * @return array[] {source, value, at}, by id
     */
    private static function current(array $ids): array
    {
        $values = [];
        foreach (array_slice($ids, 0, self::MAX_VALUES) as $id) {
            $cmd = cmd::byId($id);
            $date = is_object($cmd) ? (string) $cmd->getCache('collectDate') : '';
            $reading = $date === '' ? null : self::reading($id, $cmd->execCmd(), $date, microtime(true));
            if ($reading !== null) {
                $values[$id] = $reading;
            }
        }
        return $values;
    }

    /** @return array|null {source, value, at}; null if the value is not a number */
    private static function reading(string $id, $value, string $date, float $now): ?array
    {
        if (!is_numeric($value) || !is_finite((float) $value)) {
            return null;
        }
        // Both without an offset, so that an age is right also in the hour that clocks repeat.
        $age = $date === '' ? 0 : strtotime(date('Y-m-d H:i:s', (int) $now)) - (int) strtotime($date);
        $at = $age <= 1 ? $now : $now - $age;
        return [
            'source' => $id,
            'value' => (float) $value,
            'at' => gmdate('Y-m-d\TH:i:s', (int) $at) . sprintf('.%03dZ', (int) (fmod($at, 1) * 1000)),
        ];
    }

    /** @param array $event the core's: {event_id: command, value, datetime} */
    public static function take(array $event): void
    {
        $id = (string) $event['event_id'];
        $reading = self::reading($id, $event['value'] ?? null, (string) ($event['datetime'] ?? ''), microtime(true));
        if ($reading === null || !Daemon::isRunning()) {
            return; // it gets all values at its start
        }
        $summons = false;
        $values = self::change(static function (array &$state) use ($id, $reading, &$summons): array {
            unset($state['pending'][$id]); // the newest comes last
            $state['pending'][$id] = $reading;
            $values = self::due($state);
            $now = microtime(true);
            if ($values === [] && !self::rests($state) && abs($now - $state['courier']) >= self::COURIER_S) {
                $state['courier'] = $now;
                $summons = true;
            }
            return $values;
        });
        self::send($values);
        if ($summons) {
            utils::executeAsync('jeenergie', 'carryReadings');
        }
    }

    /** The background task: sends what waits, until nothing has come for a while. */
    public static function carry(): void
    {
        $born = $heard = microtime(true);
        do {
            $ends = false;
            $values = self::change(static function (array &$state) use ($born, &$heard, &$ends): array {
                $now = microtime(true);
                $heard = $state['pending'] === [] ? max($heard, $state['sent']) : $now;
                $values = self::due($state);
                $isIdle = $now - $heard >= self::IDLE_S || $now - $born >= self::LIFE_S;
                $ends = self::rests($state) || ($isIdle && $state['pending'] === []);
                $state['courier'] = $ends ? 0 : $now;
                return $values;
            });
            self::send($values);
            $ends || usleep(self::LOOK_US);
        } while (!$ends);
    }

    /** Takes what waits out of the state, if a message may leave now. */
    private static function due(array &$state): array
    {
        // Absolute: the clock may have been set back.
        if ($state['pending'] === [] || self::rests($state) || abs(microtime(true) - $state['sent']) < self::PACE_S) {
            return [];
        }
        $values = array_slice($state['pending'], -self::MAX_VALUES, null, true);
        $state['pending'] = [];
        $state['sent'] = microtime(true);
        return $values;
    }

    private static function rests(array $state): bool
    {
        return abs(microtime(true) - $state['failed']) < self::REST_S;
    }

    private static function send(array $values): void
    {
        if ($values === []) {
            return;
        }
        try {
            Socket::request('readings', ['values' => array_values($values)], self::TIMEOUT_S);
            $trouble = '';
        } catch (Exception $error) {
            $trouble = $error->getMessage();
        }
        $level = 'debug';
        self::change(static function (array &$state) use ($values, $trouble, &$level): array {
            $level = $state['failed'] == 0 ? 'warning' : 'debug'; // once
            $state['sent'] = microtime(true);
            $state['failed'] = $trouble === '' ? 0 : $state['sent'];
            $state['pending'] = $trouble === '' ? $state['pending'] : $state['pending'] + $values;
            return [];
        });
        if ($trouble !== '') {
            log::add('jeenergie', $level, sprintf(
                __('Le démon n\'a pas reçu les valeurs des autres plugins : %s', __FILE__),
                $trouble
            ));
        }
    }

    /**
     * Changes what requests share.
     *
     * @param callable $change (array &$state): array
     * @return array what it returns; [] if others change it for too long: the next value, or the next minute, makes up for it
     */
    private static function change(callable $change): array
    {
        $file = DataFolder::lock(self::FILE, self::MAX_WAIT_S);
        if ($file === null) {
            return [];
        }
        try {
            try {
                $state = Json::decode((string) stream_get_contents($file)) + self::EMPTY;
            } catch (Exception $error) {
                $state = self::EMPTY; // new, or truncated
            }
            $result = $change($state);
            rewind($file);
            ftruncate($file, 0);
            fwrite($file, Json::encode($state));
            return $result;
        } finally {
            fclose($file);
        }
    }
}
