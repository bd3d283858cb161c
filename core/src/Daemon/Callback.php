<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use cmd;
use config;
use DB;
use Exception;
use jeenergie;
use Jeenergie\Energy\Levels;
use Jeenergie\Energy\Past;
use Jeenergie\Energy\Trigger;
use Jeenergie\Equipment\Commands;
use Jeenergie\Equipment\CurrentValue;
use Jeenergie\Equipment\HistoryPoints;
use Jeenergie\Equipment\LastCommunication;
use Jeenergie\Equipment\Moved;
use Jeenergie\Equipment\State;
use Jeenergie\Pages\Notice;
use Jeenergie\Pages\Progress;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Json;
use Jeenergie\Storage\Moment;
use jeenergieCmd;
use log;
use PDO;
use Throwable;

/**
 * Applies what the daemon sends (core/contract/schema/callback.json) and acknowledges it.
 *
 * Each event stands on its own: one that fails is rejected, the others are applied. The equipment and the
 * commands of a whole payload are read in two queries; an unchanged value then costs none.
 */
final class Callback
{
    /** Events that are nothing without an equipment. */
    private const OF_EQUIPMENT = ['values', 'history', 'available', 'trigger'];

    /** How long a request waits while an earlier one is still being applied. */
    private const MAX_WAIT_S = 20;

    /** @var jeenergie[] by id: those named in the payload that exist and are enabled */
    private $eqLogics = [];

    /** @var jeenergieCmd[][] info commands by eqLogic id, then logicalId */
    private $commands = [];

    /** @var int Unix time at which the payload was sent, by the daemon's clock */
    private $sent = 0;

    /** @var jeenergie[] by id: those that have sent data in this payload */
    private $alive = [];

    private $unknown = [];
    private $unknownCommands = [];
    private $rejected = [];

    /** Applies one request of the daemon and prints the acknowledgement. */
    public static function answer(string $text): void
    {
        try {
            $payload = Json::decode($text);
        } catch (Exception $error) {
            $payload = [];
        }
        if (!isset($payload['boot'], $payload['sequence'], $payload['events'])) {
            http_response_code(400);
            echo '{"ok":false,"message":"not a payload"}';
            return;
        }
        // One query ahead; the core would query the last one again for each value while it is empty.
        config::byKeys(['folder::tmp', 'cache::engine', 'historyArchiveTime', 'history::smooth', 'cmdPushUrl']);
        // Scenarios and widgets may print; the response must hold the acknowledgement alone.
        ob_start();
        try {
            $answer = self::once(
                $payload['boot'] . ' ' . $payload['sequence'],
                fn(): array => (new self())->apply($payload['events'], $payload['sentAt'] ?? null)
            );
        } finally {
            ob_end_clean();
        }
        echo Json::encode($answer);
    }

    /**
     * Runs the action, or returns the previous answer if the request with this id was the last one applied.
     *
     * The daemon repeats a request that got no answer, even while the first one is still being applied: the lock makes
     * the repeat wait. "rejected" is not repeated: a repeat may hold fewer events, and the indexes would not match.
     */
    private static function once(string $id, callable $action): array
    {
        $file = DataFolder::lock('callback.json', self::MAX_WAIT_S);
        if ($file === null) {
            http_response_code(503);
            throw new Exception('the request before this one is still being applied');
        }
        $kept = (string) stream_get_contents($file);
        try {
            $last = $kept === '' ? [] : Json::decode($kept);
        } catch (Exception $error) {
            $last = []; // truncated: that request has not been answered
        }
        if (($last['id'] ?? '') === $id) {
            return $last['answer'];
        }
        $answer = $action();
        rewind($file);
        ftruncate($file, 0);
        fwrite($file, Json::encode(['id' => $id, 'answer' => array_diff_key($answer, ['rejected' => 0])]));
        fclose($file);
        return $answer;
    }

    /**
     * @param string|null $sentAt ISO 8601, by the daemon's clock, which may differ from this machine's
     * @return array the acknowledgement
     */
    public function apply(array $events, ?string $sentAt = null): array
    {
        $this->sent = $sentAt === null ? time() : Moment::parse($sentAt);
        $this->load($events);
        foreach ($events as $index => $event) {
            try {
                $this->applyEvent($event);
            } catch (Throwable $error) {
                DB::Prepare('SELECT 1', []); // throws if the database has gone: the daemon repeats the whole request
                if (!$this->forgetDeleted($event)) {
                    $this->rejected[] = ['event' => $index, 'message' => $error->getMessage()];
                }
            }
        }
        // After the values: one with an old date sets the core's last communication back.
        $lost = LastCommunication::update($this->alive);
        $answer = ['ok' => true, 'log' => Daemon::logLevel()];
        if ($lost) {
            $answer['lost'] = true;
        }
        if ($this->unknown !== []) {
            $answer['unknown'] = array_map('strval', array_keys($this->unknown));
        }
        $triggered = Levels::takeUnacknowledged();
        if ($triggered !== []) {
            $answer['triggered'] = $triggered;
        }
        if ($this->unknownCommands !== []) {
            $answer['unknownCommands'] = array_map(
                fn(array $logicalIds): array => array_map('strval', array_keys($logicalIds)),
                $this->unknownCommands
            );
        }
        if ($this->rejected !== []) {
            $answer['rejected'] = $this->rejected;
        }
        return $answer;
    }

    private function applyEvent(array $event): void
    {
        if (in_array($event['event'] ?? '', self::OF_EQUIPMENT, true) && !isset($event['equipment'])) {
            throw new Exception('no equipment');
        }
        switch ($event['event']) {
            case 'values':
                $this->values($event);
                break;
            case 'history':
                $this->history($event);
                break;
            case 'connection':
                $this->state($event);
                break;
            case 'available':
                $this->available($event);
                break;
            case 'trigger':
                $this->trigger($event);
                break;
            case 'moved':
                $this->moved($event);
                break;
            case 'past':
                $this->past($event);
                break;
            case 'progress':
                Progress::report($event);
                break;
            case 'message':
                $this->message($event);
                break;
            case 'daemon':
                if ($event['state'] === 'started') {
                    CurrentValue::restoreDated();
                    DesiredState::changed();
                } else {
                    State::allStopped();
                }
                break;
            default:
                throw new Exception('unknown event ' . $event['event']);
        }
    }

    /** One value that fails does not harm the others of its event. */
    private function values(array $event): void
    {
        $eqLogic = $this->eqLogic((string) $event['equipment']);
        if ($eqLogic === null) {
            return;
        }
        $age = $this->sent - Moment::parse($event['at']);
        $again = !empty($event['again']);
        $failure = null;
        foreach ($event['values'] as $logicalId => $value) {
            $cmd = $this->command($eqLogic, (string) $logicalId);
            try {
                self::checkFinite($value);
                if ($cmd !== null) {
                    $again ? CurrentValue::restore($cmd, $value, $age) : CurrentValue::store($cmd, $value, $age);
                }
            } catch (Throwable $error) {
                DB::Prepare('SELECT 1', []);
                $failure = $failure ?? $error;
            }
        }
        if (!$again) {
            $this->hasData($eqLogic);
        }
        if ($failure !== null) {
            throw $failure;
        }
    }

    /** Only data count as a communication; a state that is reported every few minutes does not. */
    private function hasData(jeenergie $eqLogic): void
    {
        $this->alive[$eqLogic->getId()] = $eqLogic;
    }

    private function history(array $event): void
    {
        $eqLogic = $this->eqLogic((string) $event['equipment']);
        $cmd = $eqLogic === null ? null : $this->command($eqLogic, (string) $event['command']);
        array_map([self::class, 'checkFinite'], array_column($event['points'], 1));
        if ($cmd !== null) {
            HistoryPoints::apply($cmd, $event['points']);
            $this->hasData($eqLogic);
        }
    }

    private function state(array $event): void
    {
        $eqLogic = $this->eqLogic((string) ($event['equipment'] ?? $event['connection']));
        if ($eqLogic !== null) {
            State::apply($eqLogic, $this->commands[$eqLogic->getId()]['state'] ?? null, $event);
        }
    }

    private function available(array $event): void
    {
        $eqLogic = $this->eqLogic((string) $event['equipment']);
        if ($eqLogic !== null && Commands::seen($eqLogic, $event['commands']) !== []) {
            DesiredState::changed();
        }
    }

    private function trigger(array $event): void
    {
        $eqLogic = $this->eqLogic((string) $event['equipment']);
        if ($eqLogic !== null) {
            Trigger::schedule($eqLogic, $event, $this->sent);
        }
    }

    private function moved(array $event): void
    {
        $connection = $this->eqLogic((string) $event['connection']);
        if ($connection !== null) {
            Moved::apply($connection, $event);
        }
    }

    /** The daemon asks again for what it did not get. */
    private function past(array $event): void
    {
        if (isset($event['source'])) {
            $cmd = cmd::byId((string) $event['source']);
        } else {
            $eqLogic = $this->eqLogic((string) $event['equipment']);
            $cmd = $eqLogic === null ? null : $eqLogic->getCmd('info', (string) $event['command']);
        }
        try {
            Past::answer($event, is_object($cmd) ? $cmd : null);
        } catch (Refusal $refusal) {
            log::add('jeenergie', 'debug', $refusal->getMessage());
        }
    }

    private function message(array $event): void
    {
        // One message per text, however often it is sent.
        $id = 'jeenergie::' . sha1(($event['connection'] ?? '') . $event['text']);
        Notice::tell($event['level'], $event['text'], $id);
    }

    /** JSON has no infinity, but a number such as 1e999 becomes one. */
    private static function checkFinite($value): void
    {
        if (is_float($value) && !is_finite($value)) {
            throw new Exception('not a finite number');
        }
    }

    private function eqLogic(string $id): ?jeenergie
    {
        if (!isset($this->eqLogics[$id])) {
            $this->unknown[$id] = true;
            return null;
        }
        return $this->eqLogics[$id];
    }

    private function command(jeenergie $eqLogic, string $logicalId): ?jeenergieCmd
    {
        $cmd = $this->commands[$eqLogic->getId()][$logicalId] ?? null;
        if ($cmd === null) {
            $this->unknownCommands[$eqLogic->getId()][$logicalId] = true;
        }
        return $cmd;
    }

    /** Whether what an event is about was deleted after it had been loaded: it is unknown, as if it had been before. */
    private function forgetDeleted(array $event): bool
    {
        $id = (string) ($event['equipment'] ?? $event['connection'] ?? '');
        if (isset($this->eqLogics[$id]) && !is_object(jeenergie::byId($id))) {
            unset($this->eqLogics[$id], $this->alive[$id]);
            return $this->unknown[$id] = true;
        }
        $gone = array_filter(
            array_intersect_key($this->commands[$id] ?? [], $event['values'] ?? [$event['command'] ?? 'state' => 0]),
            fn(jeenergieCmd $cmd): bool => !is_object(jeenergieCmd::byId($cmd->getId()))
        );
        if ($gone !== []) {
            $this->unknownCommands[$id] = ($this->unknownCommands[$id] ?? []) + $gone;
        }
        return $gone !== [];
    }

    /** Loads the eqLogics and commands named in the events, in two queries. */
    private function load(array $events): void
    {
        $ids = [];
        $logicalIds = [];
        foreach ($events as $event) {
            foreach (['equipment', 'connection'] as $key) {
                if (isset($event[$key])) {
                    $ids[(string) $event[$key]] = true;
                }
            }
            if (isset($event['values'])) {
                $logicalIds += jeenergie::dictionary($event['values']);
            }
            $logicalIds[($event['event'] ?? '') === 'history' ? $event['command'] : 'state'] = true;
        }
        foreach ($this->read('eqLogic', 'jeenergie', 'eqType_name', ['id' => array_keys($ids)]) as $eqLogic) {
            if ($eqLogic->getIsEnable() == 1) {
                $this->eqLogics[$eqLogic->getId()] = $eqLogic;
            }
        }
        $wanted = ['eqLogic_id' => array_keys($this->eqLogics), 'logicalId' => array_keys($logicalIds)];
        foreach ($this->read('cmd', 'jeenergieCmd', 'eqType', $wanted) as $cmd) {
            if ($cmd->getType() === 'info') {
                $cmd->setEqLogic($this->eqLogics[$cmd->getEqLogic_id()]);
                $this->commands[$cmd->getEqLogic_id()][$cmd->getLogicalId()] = $cmd;
            }
        }
    }

    private function read(string $table, string $class, string $typeColumn, array $wanted): array
    {
        $conditions = ['`' . $typeColumn . '` = ?'];
        $values = ['jeenergie'];
        foreach ($wanted as $column => $accepted) {
            if ($accepted === []) {
                return [];
            }
            $conditions[] = '`' . $column . '` IN (' . implode(',', array_fill(0, count($accepted), '?')) . ')';
            array_push($values, ...array_map('strval', $accepted));
        }
        $query = 'SELECT ' . DB::buildField($table) . ' FROM `' . $table . '` WHERE ' . implode(' AND ', $conditions);
        return DB::Prepare($query, $values, DB::FETCH_TYPE_ALL, PDO::FETCH_CLASS, $class);
    }
}
