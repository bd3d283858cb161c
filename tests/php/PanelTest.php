<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Energy\Panel;

final class PanelTest extends JeenergieTestCase
{
    private function meter(): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        foreach (['day', 'month'] as $per) {
            $catalogue['equipment']['meter']['commands'][] = ['logicalId' => $per, 'name' => 'Conso ' . $per,
                'type' => 'info', 'subType' => 'numeric', 'unit' => 'kWh', 'history' => true,
                'measures' => ['quantity' => 'supply.energy', 'per' => $per]];
        }
        $this->useCatalogue($catalogue);
        return $this->equipment($this->connection());
    }

    public function testTheFiguresOfADayAreOffered(): void
    {
        $day = $this->cmd($this->meter(), 'day')->getId();
        [$equipment] = Panel::equipment();
        $this->assertSame('Meter 1', $equipment['name']);
        $this->assertSame([[(string) $day, 'consumption', 'day', 'kWh']], array_map(
            fn(array $each): array => [$each['cmd'], $each['kind'], $each['per'], $each['unit']],
            $equipment['series']
        ));
    }

    public function testDaysAreReadFromBothHistories(): void
    {
        $day = $this->cmd($this->meter(), 'day')->getId();
        Memory::$queries = [];
        $found = Panel::days(['cmds' => [$day], 'from' => '2026-03-01', 'to' => '2026-03-31']);
        $this->assertSame([(int) $day], array_map('intval', array_keys($found)));
        [$sql, $values] = end(Memory::$queries);
        $this->assertMatchesRegularExpression('/`history` .*`historyArch`/', $sql);
        $this->assertSame(['2026-03-01 00:00:00', '2026-03-31 23:59:59'], [$values['from'], $values['to']]);
    }

    public function testTheCatalogueNamesWhichCounterCounts(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $row = ['type' => 'info', 'subType' => 'numeric', 'unit' => 'Wh', 'history' => true, 'historizeMode' => 'max'];
        foreach (['today' => 'CONSUMPTION', 'ever' => 'CONSUMPTION', 'sun' => 'PRODUCTION', 'night' => 'PRODUCTION'] as $id => $generic) {
            $panel = $id === 'ever' ? ['measures' => ['quantity' => 'supply.energy', 'per' => 'counter']] : [];
            $catalogue['equipment']['meter']['commands'][] = ['logicalId' => $id, 'name' => $id, 'genericType' => $generic] + $panel + $row;
        }
        $this->useCatalogue($catalogue);
        $meter = $this->equipment($this->connection());
        [$equipment] = Panel::equipment();
        $this->assertSame(
            [['ever', 'consumption', 'kWh'], ['night', 'production', 'kWh'], ['sun', 'production', 'kWh']],
            $this->sorted(array_map(
                fn(array $each): array => [$each['name'], $each['kind'], $each['unit']],
                $equipment['series']
            ))
        );
        $this->assertIsObject($this->cmd($meter, 'ever'));
    }

    public function testACounterThatStoodStillIsNoGap(): void
    {
        $growth = new ReflectionMethod(Panel::class, 'growth');
        $growth->setAccessible(true);
        $days = ['2026-03-02' => 12.0, '2026-03-09' => 15.5, '2026-03-10' => 2.0, '2026-03-11' => 3.0];
        $this->assertSame(
            ['2026-03-02' => 2.0, '2026-03-09' => 3.5, '2026-03-11' => 1.0],
            $growth->invoke(null, $days, 10.0)
        );
        $this->assertSame(['2026-03-09', '2026-03-11'], array_keys($growth->invoke(null, $days, null)));
    }

    public function testTheFirstDayCountsFromTheFirstValue(): void
    {
        $growth = new ReflectionMethod(Panel::class, 'growth');
        $growth->setAccessible(true);
        $this->assertSame(['2026-03-02' => 25.0, '2026-03-03' => 2.0], $growth->invoke(null, ['2026-03-02' => 1025.0, '2026-03-03' => 1027.0], 1000.0));
        $day = $this->cmd($this->counter(), 'ever')->getId();
        Memory::$queries = [];
        Panel::days(['cmds' => [$day], 'from' => '2026-03-01', 'to' => '2026-03-31']);
        $this->assertNotSame([], Memory::$queries);
    }

    private function counter(): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['meter']['commands'][] = ['logicalId' => 'ever', 'name' => 'ever', 'type' => 'info', 'subType' => 'numeric',
            'unit' => 'kWh', 'history' => true, 'historizeMode' => 'max', 'measures' => ['quantity' => 'supply.energy', 'per' => 'counter']];
        $this->useCatalogue($catalogue);
        return $this->equipment($this->connection());
    }

    private function sorted(array $list): array
    {
        sort($list);
        return $list;
    }
}
