<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Daemon;

use config;
use DB;
use Exception;
use jeenergie;
use Jeenergie\Energy\Levels;
use Jeenergie\Energy\Trigger;
use Jeenergie\Equipment\Commands;
use Jeenergie\Equipment\HistoryPoints;
use Jeenergie\Equipment\LastCommunication;
use Jeenergie\Equipment\State;
use Jeenergie\Pages\Progress;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Json;
use Jeenergie\Storage\Moment;
use jeenergieCmd;
use log;
use message;
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
    /** Seconds after which the moment of a value becomes its date in Jeedom. */
    private const OLD = 60;

    /** Seconds to wait for a request before this one that is still being applied. */
    private const PATIENCE = 20;

    /** @var jeenergie[] by id: those that exist, are enabled, and are spoken of in the payload */
    private $eqLogics = [];

    /** @var jeenergieCmd[][] by logicalId by eqLogic id */
    private $commands = [];

    /** @var int when the payload left, by the daemon's clock */
    private $sent = 0;

    /** @var jeenergie[] by id: those that have sent data */
    private $alive = [];

    private $unknown = [];
    private $unknownCommands = [];
    private $rejected = [];

    /** Answers one request of the daemon: prints the acknowledgement. */
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
        // Read ahead in one query; the last one the core would otherwise ask again for each value when it is empty.
        config::byKeys(['folder::tmp', 'cache::engine', 'historyArchiveTime', 'cmdPushUrl']);
        // Scenarios and widgets may print: nothing but the acknowledgement must leave.
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
     * Does it unless it was the last thing done; then the same answer is given again.
     *
     * The daemon repeats what it has no answer to, even while the first request is still at work: the lock
     * makes the repeat wait for it. A repeat may hold less, so that "rejected" would name the wrong events.
     */
    private static function once(string $id, callable $action): array
    {
        $file = DataFolder::lock('callback.json', self::PATIENCE);
        if ($file === null) {
            http_response_code(503);
            throw new Exception('the request before this one is still being applied');
        }
        $kept = (string) stream_get_contents($file);
        try {
            $last = $kept === '' ? [] : Json::decode($kept);
        } catch (Exception $error) {
            $last = []; // half written: its request has not been answered
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
     * @param string|null $sentAt by the daemon's clock, which may have been set at another moment than this one's
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
                $this->rejected[] = ['event' => $index, 'message' => $error->getMessage()];
            }
        }
        // After the values: one with an old date has set it back.
        LastCommunication::of($this->alive);
        $answer = ['ok' => true, 'log' => Daemon::logLevel()];
        if ($this->unknown !== []) {
            $answer['unknown'] = array_map('strval', array_keys($this->unknown));
        }
        $triggered = Levels::untold();
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
            case 'progress':
                Progress::tell($event);
                break;
            case 'message':
                $this->message($event);
                break;
            case 'daemon':
                if ($event['state'] === 'started') {
                    DesiredState::changed();
                } else {
                    State::allStopped();
                }
                break;
            default:
                throw new Exception('unknown event ' . $event['event']);
        }
    }

    private function values(array $event): void
    {
        $eqLogic = $this->eqLogic((string) $event['equipment']);
        if ($eqLogic === null) {
            return;
        }
        $age = $this->sent - Moment::parse($event['at']);
        foreach ($event['values'] as $logicalId => $value) {
            $cmd = $this->command($eqLogic, (string) $logicalId);
            self::checkFinite($value);
            if ($cmd === null) {
                continue;
            }
            if ($age > self::OLD) {
                self::oldValue($cmd, $value, time() - $age);
            } else {
                $eqLogic->checkAndUpdateCmd($cmd, $value, false);
                Moment::note($cmd, time());
            }
        }
        $this->hasData($eqLogic);
    }

    /** An old value has its own date, and does not replace a newer one, which the core would let happen. */
    private static function oldValue(jeenergieCmd $cmd, $value, int $moment): void
    {
        $known = Moment::ofValue($cmd);
        if ($known === null || $moment > $known || ($moment === $known && $cmd->execCmd() !== $cmd->formatValue($value))) {
            $cmd->event($value, Moment::text($moment));
            Moment::note($cmd, $moment);
        }
    }

    /** Only data are a communication: who is told every few minutes to be out of reach has not sent any. */
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

    private function message(array $event): void
    {
        // The same text is told once, however often it comes; the log shares the id for its own message of an error.
        $id = 'jeenergie::' . sha1(($event['connection'] ?? '') . $event['text']);
        $text = State::plain($event['text']);
        log::add('jeenergie', $event['level'], $text, $id);
        message::add('jeenergie', $text, '', $id);
    }

    /** JSON knows no infinity, but numbers that are too large to be any other one. */
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

    /** Reads the eqLogics and the commands that the events speak of, and no others, in two queries. */
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
