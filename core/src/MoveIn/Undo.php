<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\MoveIn;

use Exception;
use jeenergie;
use Jeenergie\Storage\Row;
use Throwable;

/**
 * Puts back what a move has changed, and switches the former plugin on again. Each step may be done again.
 *
 * What a user has changed since is not overwritten: only the ids in it are replaced.
 */
final class Undo
{
    private const STEPS = ['disable' => 0, 'points' => 10, 'references' => 60, 'remove' => 80, 'former' => 90];

    /** @var Former */
    private $former;

    /** @var Journal */
    private $journal;

    public function __construct(Former $former, Journal $journal)
    {
        $this->former = $former;
        $this->journal = $journal;
    }

    /** @throws Exception if equipment of the former plugin is gone, with a sentence for the user */
    public static function begin(Former $former, Journal $journal): void
    {
        $missing = array_diff_key($journal->get('before'), $former->equipment());
        if ($missing !== []) {
            throw new Exception(sprintf(
                __('La reprise ne peut plus être annulée, ceci n\'existe plus dans l\'ancien plugin : %s', __FILE__),
                implode(', ', array_column($missing, 'name'))
            ));
        }
        $journal->note(['state' => 'undoing', 'undone' => [], 'report' => []]);
    }

    public function run(): void
    {
        foreach (self::STEPS as $step => $percent) {
            if (!in_array($step, $this->journal->get('undone', []), true)) {
                Background::progress($this->former->plugin(), $step, $percent);
                $this->$step();
                $this->journal->note(['undone' => array_merge($this->journal->get('undone', []), [$step])]);
            }
        }
        $this->journal->note(['state' => 'undone', 'ended' => date('Y-m-d H:i:s')]);
        Background::progress($this->former->plugin(), '', 100);
    }

    private function disable(): void
    {
        foreach ($this->journal->get('connections', []) as $made) {
            $connection = jeenergie::byId($made['id']);
            if ($made['created'] && $connection instanceof jeenergie) {
                Creation::enable($connection, false);
            }
        }
    }

    /** What has come since goes back to the former commands. */
    private function points(): void
    {
        foreach ($this->journal->get('pairs', []) as $former => $pair) {
            if (isset($pair['seam']) && (float) $pair['factor'] !== 0.0) {
                // Where dates may differ within a day, as of daily figures, both have that day.
                $isByDay = $this->former->recipe()->isByName();
                $after = $isByDay ? substr($pair['seam'], 0, 10) . ' 23:59:59' : $pair['seam'];
                PointCopy::copy($pair['to'], $former, $after, null, 1.0 / (float) $pair['factor']);
            }
        }
    }

    private function references(): void
    {
        $touched = [];
        foreach (array_reverse($this->journal->get('changes', [])) as $change) {
            if (!References::apply(References::reversed($change))) {
                $touched[] = $change;
            }
        }
        // Changed since, or made since: the ids alone are put back.
        $tokens = (new Tokens(
            Journal::column($this->journal->get('pairs', []), 'to'),
            Journal::column($this->journal->get('equipment', []), 'to')
        ))->reversed();
        $left = array_filter(
            (new References($tokens, $this->former->plugin()))->changes(),
            fn(array $change): bool => !$this->isOurs($change)
        );
        array_map([References::class, 'apply'], $left);
        $this->journal->report(array_map(static fn(array $change): string => sprintf(
            __('« %s » a été modifié depuis la reprise : seules ses commandes ont été remises, vérifiez-le.', __FILE__),
            References::place($change)['name']
        ), array_merge($touched, $left)));
        Background::forgetCaches();
    }

    /** Rows of what is about to be removed; commands link to each other there. */
    private function isOurs(array $change): bool
    {
        $made = array_column($this->made(), 'to');
        if ($change['table'] === 'eqLogic') {
            return in_array($change['id'], $made, true);
        }
        return $change['table'] === 'cmd' && References::ownerOf($change) !== null
            && in_array(References::ownerOf($change), $made, true);
    }

    /** @return array[] all equipment that the move has made or used: {to, created, connection} */
    private function made(): array
    {
        return array_merge(array_values($this->journal->get('equipment', [])), array_values($this->journal->get('made', [])));
    }

    /** Only what the move has made; equipment that was there before keeps its own life. */
    private function remove(): void
    {
        foreach ($this->made() as $made) {
            $equipment = $made['created'] && empty($made['connection']) ? jeenergie::byId($made['to']) : null;
            if ($equipment instanceof jeenergie) {
                $equipment->remove();
            }
        }
        foreach ($this->journal->get('connections', []) as $index => $made) {
            $connection = self::connectionOf($made);
            foreach ($connection === null ? [] : $connection->equipment() as $each) {
                if ($made['created'] || $this->isPlanned($each, $index)) {
                    $each->remove(); // found since by the connection itself, or made just before the move was interrupted
                }
            }
            if ($made['created'] && $connection !== null) {
                $connection->remove();
            }
        }
    }

    /** A move that was killed may have made a connection without having noted its id. */
    private static function connectionOf(array $made): ?jeenergie
    {
        $connection = $made['id'] === '' ? MovePlan::markedConnection($made['marker']) : jeenergie::byId($made['id']);
        return $connection instanceof jeenergie ? $connection : null;
    }

    /** True if the plan was to make this equipment of a connection that was there before. */
    private function isPlanned(jeenergie $eqLogic, int $connection): bool
    {
        $plan = $this->journal->get('plan');
        foreach (array_merge($plan['equipment'], $plan['made'] ?? []) as $planned) {
            $isIt = $planned['connection'] === $connection && $planned['type'] === $eqLogic->type()
                && $planned['key'] === $eqLogic->key();
            if ($isIt && $planned['known'] === null && ($planned['reason'] ?? '') === '') {
                return true;
            }
        }
        return false;
    }

    private function former(): void
    {
        try {
            if ($this->journal->get('active')) {
                $this->former->setActive(true);
            }
        } catch (Throwable $error) {
            $this->journal->report([sprintf(
                __('« %1$s » est à activer par vous : %2$s', __FILE__),
                $this->former->title(),
                $error->getMessage()
            )]);
        }
        foreach ($this->journal->get('before') as $id => $row) {
            Row::update('eqLogic', $id, $row);
        }
        $this->former->setDaemon((bool) $this->journal->get('daemon'));
    }
}
