<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Energy\Fluids;
use Jeenergie\Energy\House;

final class FluidsTest extends JeenergieTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        Memory::$history = [];
    }

    protected function tearDown(): void
    {
        Memory::$history = [];
        parent::tearDown();
    }

    /** An equipment with rows of these quantities, by logicalId: [unit, quantity, per]. */
    private function meter(array $rows): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        foreach ($rows as $logicalId => [$unit, $quantity, $per]) {
            $catalogue['equipment']['meter']['commands'][] = [
                'logicalId' => $logicalId, 'name' => $logicalId, 'type' => 'info', 'subType' => 'numeric', 'unit' => $unit,
                'history' => true, 'source' => 'x', 'measures' => ['quantity' => $quantity, 'per' => $per],
            ];
        }
        $this->useCatalogue($catalogue);
        return $this->equipment($this->connection());
    }

    private function past(jeenergie $meter, string $logicalId, array $values): void
    {
        foreach ($values as $at => $value) {
            $cmd = (int) $this->cmd($meter, $logicalId)->getId();
            Memory::$history[] = ['cmd' => $cmd, 'datetime' => $at . (strlen($at) === 10 ? ' 00:00:00' : ''), 'value' => (string) $value];
        }
    }

    private function fluids(string $from, string $to, string $per, float $gasFactor, array $prices = []): array
    {
        return (new Fluids(['gasFactor' => $gasFactor], $prices))->of($from, $to, $per);
    }

    public function testDaysOfAGasAccountWithTheirCost(): void
    {
        $meter = $this->meter(['gas' => ['kWh', 'gas.energy', 'day'], 'cost' => ['€', 'supply.cost', 'day']]);
        $this->past($meter, 'gas', ['2026-02-28' => 99, '2026-03-01' => 40.5, '2026-03-02' => 38, '2026-04-01' => 10]);
        $this->past($meter, 'cost', ['2026-03-01' => 4.1, '2026-03-02' => 3.9]);
        [$gas] = $this->fluids('2026-03-01', '2026-03-31', 'day', 11.2);
        $this->assertSame(['Meter 1', 'gas', 'kWh', 78.5, null, 8.0], [
            $gas['name'], $gas['kind'], $gas['unit'], $gas['total'], $gas['energy'], $gas['cost'],
        ]);
        $this->assertSame([2, 31], [$gas['known'], $gas['days']], 'what has not come is said');
        $this->assertSame(['2026-03-01' => 40.5, '2026-03-02' => 38.0], (array) $gas['rows']);
        [$gas] = $this->fluids('2026-01-01', '2026-12-31', 'month', 11.2);
        $this->assertSame(['2026-02-01' => 99.0, '2026-03-01' => 78.5, '2026-04-01' => 10.0], (array) $gas['rows']);
        $this->assertSame(['2026-03-01' => 8.0], (array) $gas['costs']);
    }

    public function testACounterOfGasInLitresGrowsInCubicMetresAndTellsItsEnergy(): void
    {
        $meter = $this->meter(['index' => ['l', 'gas.volume', 'counter']]);
        $this->past($meter, 'index', ['2026-02-28 23:00:00' => 1000, '2026-03-01 08:00:00' => 2000, '2026-03-01 20:00:00' => 3000,
            '2026-03-02 07:00:00' => 5500, '2026-03-03 07:00:00' => 10, '2026-03-04 07:00:00' => 510]);
        [$gas] = $this->fluids('2026-03-01', '2026-03-31', 'day', 10.0);
        $this->assertSame(['2026-03-01' => 2.0, '2026-03-02' => 2.5, '2026-03-04' => 0.5], (array) $gas['rows'], 'no day of a reset');
        $this->assertSame([5.0, 50.0, null, 'm³'], [$gas['total'], $gas['energy'], $gas['known'], $gas['unit']]);
    }

    public function testMeasuresOfWaterAreAddedUpAndAreNoEnergy(): void
    {
        $meter = $this->meter(['volume' => ['L', 'water.volume', 'measure'], 'price' => ['€', 'load.cost', 'measure']]);
        $this->past($meter, 'volume', ['2026-03-01 00:00:00' => 120, '2026-03-01 12:00:00' => 80, '2026-03-02 00:30:00' => 300]);
        $this->past($meter, 'price', ['2026-03-01 12:00:00' => 0.5]);
        [$water] = $this->fluids('2026-03-01', '2026-03-02', 'day', 11.2);
        $this->assertSame(['water', 'm³', 0.5, null, 0.5, 2, 2], [
            $water['kind'], $water['unit'], $water['total'], $water['energy'], $water['cost'], $water['known'], $water['days'],
        ]);
        $this->assertSame([], (array) $this->fluids('2026-03-01', '2026-03-01', 'hour', 11.2)[0]['rows'], 'a day has its sum, no hours');
    }

    public function testAMeterWithoutCostsHasThoseOfTheUsersPriceOfThatDay(): void
    {
        $meter = $this->meter(['index' => ['l', 'gas.volume', 'counter'], 'cost' => ['€', 'load.cost', 'counter']]);
        $this->past($meter, 'cost', ['2026-05-01 07:00:00' => 0, '2026-06-01 07:00:00' => 0]); // nobody told it the price
        $this->past($meter, 'index', ['2026-05-30 23:00:00' => 0, '2026-06-30 07:00:00' => 2000, '2026-07-01 07:00:00' => 3000,
            '2026-07-02 07:00:00' => 5000]);
        $prices = ['gas' => [['', 0.1], ['2026-07-01', 0.2]], 'water' => [['', 4.0]]];
        [$gas] = $this->fluids('2026-06-01', '2026-07-31', 'month', 10.0, $prices);
        $this->assertSame([5.0, 50.0, 8.0], [$gas['total'], $gas['energy'], $gas['cost']]);
        $this->assertSame(['2026-06-01' => 20.0, '2026-07-01' => 30.0], (array) $gas['energies']);
        $this->assertSame(['2026-06-01' => 2.0, '2026-07-01' => 6.0], (array) $gas['costs'], 'a new price leaves the past alone');
        unset($prices['gas'][0]);
        [$gas] = $this->fluids('2026-06-01', '2026-07-31', 'month', 10.0, $prices);
        $this->assertSame([null, ['2026-07-01' => 6.0]], [$gas['cost'], (array) $gas['costs']], 'before the first price none is known');
        [$gas] = $this->fluids('2026-06-01', '2026-07-31', 'month', 10.0);
        $this->assertSame([null, []], [$gas['cost'], (array) $gas['costs']]);
    }

    public function testWhatTheMeterItselfSaysOfItsCostCountsBeforeTheUsersPrice(): void
    {
        $meter = $this->meter(['index' => ['l', 'water.volume', 'counter'], 'cost' => ['€', 'load.cost', 'counter']]);
        $this->past($meter, 'index', ['2026-02-28 23:00:00' => 0, '2026-03-01 07:00:00' => 500, '2026-03-02 07:00:00' => 800]);
        $this->past($meter, 'cost', ['2026-02-28 23:00:00' => 10, '2026-03-01 07:00:00' => 12.5, '2026-03-02 07:00:00' => 14]);
        [$water] = $this->fluids('2026-03-01', '2026-03-31', 'day', 11.2, ['water' => [['', 4.0]]]);
        $this->assertSame([4.0, ['2026-03-01' => 2.5, '2026-03-02' => 1.5]], [$water['cost'], (array) $water['costs']]);
        $this->assertSame([null, []], [$water['energy'], (array) $water['energies']], 'water is no energy');
    }

    public function testWhoseHistoryHasNothingIsLeftOut(): void
    {
        $this->past($this->meter(['gas' => ['kWh', 'gas.energy', 'day']]), 'gas', ['2026-03-01' => 40.5]);
        $this->assertSame([], $this->fluids('2026-05-01', '2026-05-31', 'day', 11.2));
    }

    public function testTheBalanceHasThemBesideIt(): void
    {
        $meter = $this->meter(['grid' => ['W', 'home.gridPower', 'now'], 'gas' => ['kWh', 'gas.energy', 'day']]);
        $this->past($meter, 'gas', ['2001-01-02' => 5, '2026-03-01' => 40.5]);
        $result = ['from' => '2026-02-01', 'to' => '2026-03-31', 'rows' => [], 'devices' => ['used' => [], 'rest' => null]];
        $this->startDaemon(json_encode(['id' => null, 'ok' => true, 'result' => $result]));
        $this->assertSame(40.5, House::balance(['from' => '2026-02-01', 'per' => 'day'])['fluids'][0]['total']);
        $this->startDaemon(json_encode(['id' => null, 'ok' => true, 'result' => $result]));
        $this->assertSame(45.5, House::balance(['per' => 'year'])['fluids'][0]['total'], 'all time is not only that of the house');
    }
}
